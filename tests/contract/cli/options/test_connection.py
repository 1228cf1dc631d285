"""Servers and kubeconfigs that cannot be used: exit 1, one clear sentence and a remedy."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from tests.contract.api_server import ApiServer, failure
from tests.contract.scripted_server import Answer, Close, Hang, Raw, ScriptedServer, server_tls

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract.cli.command import Command, Finished


def is_one_clear_sentence(done: Finished, *, remedy: bool = True) -> bool:
    """Check what all failures before a write have in common."""
    errors = [line for line in done.lines if line.startswith("ERROR: ")]
    assert done.code == 1, done.err
    assert len(errors) == 1, done.err
    assert done.lines[-1 - remedy] == errors[0], done.err
    assert not remedy or done.lines[-1].startswith("  ")
    assert [line for line in done.out.splitlines() if not line.startswith("context ")] == []
    assert "s3cr3t" not in done.out + done.err
    return True


async def undo(backout: Command, *flags: str) -> Finished:
    return await backout("undo", "deploy/web", "--request-timeout", "1s", *flags)


async def test_a_missing_kubeconfig_names_the_file(backout: Command) -> None:
    done = await undo(backout, "--kubeconfig", "/nowhere/config")

    assert is_one_clear_sentence(done)
    assert "/nowhere/config" in done.err


async def test_an_unreadable_kubeconfig_says_so(backout: Command, tmp_path: Path) -> None:
    done = await undo(backout, "--kubeconfig", str(tmp_path))

    assert is_one_clear_sentence(done, remedy="  " in done.lines[-1][:2])
    assert str(tmp_path) in done.err


@pytest.mark.parametrize(
    "content",
    ["", "\x00\x01", "]", "just words", "- a\n- b\n", "apiVersion: v1\n", "a: &a [*a]", "{" * 5000],
    ids=["empty", "binary", "broken", "words", "list", "bare", "loop", "deep"],
)
async def test_a_kubeconfig_that_is_none_is_refused_in_words(
    backout: Command, content: str
) -> None:
    backout.kubeconfig.write_text(content)
    done = await undo(backout)

    assert is_one_clear_sentence(done, remedy=done.lines[-1].startswith("  "))
    assert "kubeconfig" in done.err


async def test_an_unknown_context_lists_those_that_exist(backout: Command) -> None:
    done = await undo(backout, "--context", "prod")

    assert is_one_clear_sentence(done)
    assert 'context "prod"' in done.err
    assert "test" in done.lines[-1]


async def test_a_closed_port_is_told_with_its_address(backout: Command) -> None:
    done = await undo(backout)

    assert is_one_clear_sentence(done)
    assert "127.0.0.1:1: connection refused" in done.err


async def test_a_name_without_an_address_is_told(backout: Command) -> None:
    backout.point_to("http://does-not-exist.invalid")
    done = await undo(backout)

    assert is_one_clear_sentence(done)
    assert "does-not-exist.invalid" in done.err


async def test_a_certificate_that_nobody_trusts_is_told(backout: Command) -> None:
    ca, other = trustme.CA(), trustme.CA()
    async with ScriptedServer([], tls=server_tls(ca)) as server:
        trusted = base64.b64encode(other.cert_pem.bytes()).decode()
        backout.point_to(server.url, **{"certificate-authority-data": trusted})
        done = await undo(backout)

    assert is_one_clear_sentence(done)
    assert "certificate" in done.err


async def test_tls_where_there_is_none_is_told(backout: Command) -> None:
    async with ScriptedServer(lambda _: Answer()) as server:
        backout.point_to(server.url.replace("http:", "https:"))
        done = await undo(backout)

    assert is_one_clear_sentence(done)


async def answered(backout: Command, answer: Any, *flags: str) -> Finished:
    async with ApiServer() as api:
        api.before = lambda _: answer
        backout.point_to(api.url)
        done = await undo(backout, *flags)
        assert api.writes == []
    return done


async def test_a_401_says_that_you_must_log_in(backout: Command) -> None:
    done = await answered(backout, failure(401, "Unauthorized", "Unauthorized"))

    assert is_one_clear_sentence(done)
    assert "You must be logged in" in done.err


@pytest.mark.parametrize("resource", ["deployments", "replicasets"])
async def test_a_403_names_verb_and_resource_and_the_rule_that_would_grant_it(
    backout: Command, api: ApiServer, resource: str
) -> None:
    verb = "get" if resource == "deployments" else "list"
    api.denied.add(f"{verb} {resource}")
    done = await undo(backout)

    assert is_one_clear_sentence(done)
    assert f'cannot {verb} resource "{resource}"' in done.err
    assert f"resources: [{resource}]" in done.lines[-1]


async def test_a_404_says_what_to_check(backout: Command, api: ApiServer) -> None:
    assert api.url
    done = await backout("undo", "deploy/nothing")

    assert is_one_clear_sentence(done)
    assert '"nothing" not found' in done.err
    assert done.lines[-1] == "  fix: name one that is there: web"


async def test_a_server_that_hangs_ends_by_the_request_time_out(backout: Command) -> None:
    clock = asyncio.get_running_loop().time
    began = clock()
    done = await answered(backout, Hang())

    assert is_one_clear_sentence(done)
    assert "within 1 s" in done.err
    assert clock() - began < 15


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=502, body=b"<html>s3cr3t</html>", headers={"Content-Type": "text/html"}),
        Answer(
            status=200, body=b"<html>login s3cr3t</html>", headers={"Content-Type": "text/html"}
        ),
        Answer(status=302, headers={"Location": "http://s3cr3t.example/"}),
        Answer(
            status=200, body=b'{"kind": "Deployment"', headers={"Content-Type": "application/json"}
        ),
        Answer(status=200, json=["s3cr3t"]),
        Raw(bytes=b"SSH-2.0-OpenSSH s3cr3t\r\n"),
        Close(),
        Close(reset=True),
    ],
    ids=["502", "login page", "redirect", "cut", "list", "not HTTP", "closed", "reset"],
)
async def test_an_answer_that_no_api_server_gives_is_told_without_its_body(
    backout: Command, answer: Any
) -> None:
    done = await answered(backout, answer)

    assert is_one_clear_sentence(done)
    assert "127.0.0.1" in done.err


@pytest.mark.parametrize(
    "body", [{}, {"kind": "Deployment", "metadata": {}, "spec": {}}, {"spec": 1}]
)
async def test_an_object_without_what_every_deployment_has_is_no_defect_of_ours(
    backout: Command, body: Any
) -> None:
    done = await answered(backout, Answer(json=body))

    assert is_one_clear_sentence(done, remedy=done.lines[-1].startswith("  "))


async def test_an_error_with_json_output_is_the_last_line_of_stdout(backout: Command) -> None:
    done = await undo(backout, "-o", "json")

    assert done.code == 1
    assert [e["event"] for e in done.events] == ["context", "warning", "outcome"]
    assert done.last["exit"] == 1
    assert done.last["result"] == "not changed"
    assert "connection refused" in done.last["message"]
    assert done.last["remedy"]
    assert done.lines == [f"ERROR: {done.last['message']}"]


async def test_an_error_before_the_kubeconfig_is_an_outcome_too(backout: Command) -> None:
    done = await undo(backout, "-o", "json", "--kubeconfig", "/nowhere")

    assert [e["event"] for e in done.events] == ["outcome"]
    assert done.last["exit"] == done.code == 1


async def test_each_request_is_shown_with_v_and_never_a_body_or_a_token(
    backout: Command, api: ApiServer
) -> None:
    done = await backout("undo", "deploy/web", "-v", "--dry-run")
    shown = [line.split(" ") for line in done.lines if line.startswith(("GET /", "PO", "PATCH /"))]
    sent = {(r.method, r.path, r.headers["audit-id"]) for r in api.requests}

    assert done.code == 0, done.err
    assert {(s[0], s[1], s[-1]) for s in shown} == sent
    assert all(s[2].isdigit() and s[4] == "ms" for s in shown)
    assert "s3cr3t" not in done.out + done.err
    assert "resourceAttributes" not in done.out + done.err


async def test_no_credentials_are_sent_without_tls_and_it_is_said(
    backout: Command, api: ApiServer
) -> None:
    done = await backout("undo", "deploy/web", "--dry-run")

    assert all("authorization" not in r.headers for r in api.requests)
    assert "without TLS: no credentials are sent" in done.err


async def test_a_service_account_without_a_home_gets_along(
    backout: Command, api: ApiServer, tmp_path: Path
) -> None:
    assert api.url
    backout.environment = {"HOME": ""}
    done = await backout(
        "undo", "deploy/web", "--dry-run", "--journal", str(tmp_path / "j"), "-o", "json"
    )

    assert done.code == 0, done.err
    assert json.loads((tmp_path / "j").read_text().splitlines()[0])["event"] == "context"


async def test_who_is_impersonated_is_who_acts_in_the_line_the_record_and_the_report(
    backout: Command, api: ApiServer
) -> None:
    done = await backout("undo", "deploy/web", "--as", "alice", "--health-successes", "1")
    told = await backout("report")
    ledger = api.all("leases")[0]["metadata"]["annotations"]["backout.dev/ledger"]

    assert "user alice (impersonated by tester)" in done.out.splitlines()[0]
    assert json.loads(ledger)["records"][0]["actor"].endswith("(as alice, impersonated by tester)")
    assert "alice, impersonated by tester" in told.out
