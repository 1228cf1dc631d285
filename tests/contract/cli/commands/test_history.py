"""`history`: rows for people and for programs, one template, and names that do not exist."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.contract.api_server import failure, line_of
from tests.contract.cli.output.test_output import HOSTILE, RAW
from tests.contract.cli.output.test_terminal import COLOURS, shown
from tests.contract.scripted_server import Answer, Hang, Received, Step
from tests.contract.steps.shop import CAUSE, deploy
from tests.packaging.terminal import ESCAPE, plain

if TYPE_CHECKING:
    from tests.contract.api_server import ApiServer
    from tests.contract.cli.command import Command

HISTORY = ("history", "deploy/web")
APPS = "/apis/apps/v1/namespaces"
CHANGING = re.compile(r"\d+ (s|min|h|d)\b|\d{4}-\d\d-\d\d \d\d:\d\d|\d\d:\d\d")
GOLDEN = """\
    REVISION AGE FROM (UTC) FOR READY IMAGE STATUS
* 2 AGO AGO AGO 0 app:bad now; change-cause: the bad one
> 1 AGO AGO AGO 1 app:good undo goes here
undo would go to revision 1: newest other revision with Ready Pods (1 now)
"""


def timeless(text: str) -> str:
    """Return a table without what passes, and without its padding."""
    return re.sub(r"(?<=\S) +", " ", CHANGING.sub("AGO", text))


async def test_a_pipe_gets_one_line_a_revision_and_what_undo_would_do(
    backout: Command, api: ApiServer
) -> None:
    done = await backout(*HISTORY)

    assert (done.code, done.err) == (0, "")
    assert [s.split() for s in timeless(done.out).splitlines()] == [
        s.split() for s in GOLDEN.splitlines()
    ]
    assert {line.split()[0] for line in api.lines} == {"GET", "LIST"}


async def test_who_only_looks_loads_nothing_of_what_a_rollback_needs(
    backout: Command, api: ApiServer
) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-X", "importtime", "-m", "backout", *HISTORY),
        env=backout.surroundings(),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, err = await process.communicate()
    modules = {line.rpartition("|")[2].strip() for line in err.decode().splitlines()}

    assert "h11" in modules
    assert not modules & {"rich", "backout.core.checks", "backout.core.events"}
    assert sorted(api.lines[:2]) == ["GET deployments", "GET leases"]
    assert sorted(api.lines[2:]) == ["LIST pods", "LIST replicasets"]


async def test_rows_alone_and_names_are_for_scripts(backout: Command, api: ApiServer) -> None:
    rows = await backout(*HISTORY, "--no-headers")
    named = await backout(*HISTORY, "-o", "name")

    assert [line.split()[:2] for line in rows.out.splitlines()] == [["*", "2"], [">", "1"]]
    assert named.out.splitlines() == [
        f"replicaset.apps/{r['metadata']['name']}" for r in reversed(api.all("replicasets"))
    ]


@pytest.mark.usefixtures("api")
async def test_json_is_a_line_a_revision_and_yaml_the_same_in_one_document(
    backout: Command,
) -> None:
    *rows, last = (await backout(*HISTORY, "-o", "json")).events
    document = yaml.safe_load((await backout(*HISTORY, "-o", "yaml")).out)

    assert [(r["revision"], r["current"], r["target"], r["ready"]) for r in rows] == [
        (2, True, False, 0),
        (1, False, True, 1),
    ]
    assert (last["current"], last["target"], last["kubectl"]) == (2, 1, 1)
    assert [r["hash"] for r in document["revisions"]] == [r["hash"] for r in rows]
    assert {k: document[k] for k in last} == last


async def test_one_revision_is_its_template_with_secrets_hidden_unless_asked_for(
    backout: Command, api: ApiServer
) -> None:
    plant(api, env=[{"name": "TOKEN", "value": "hunter2"}], args=["--password", "hunter2"])
    number = ("--revision", "3")
    hidden, told = (
        await backout(*HISTORY, *number),
        await backout(*HISTORY, *number, "--show-values"),
    )
    as_json = await backout(*HISTORY, *number, "-o", "json", "--show-values")
    wanted = api.get("deployments", "web")["spec"]["template"]

    assert "hunter2" not in hidden.out + hidden.err
    assert "--show-values" in hidden.err
    assert told.err == ""
    assert yaml.safe_load(told.out) == json.loads(as_json.out) == wanted


async def test_no_planted_secret_is_told_by_any_format(backout: Command, api: ApiServer) -> None:
    deploy(api, "127.0.0.1:1/app:v3", cause="kubectl set env deploy/web TOKEN=hunter2")

    for output in ("text", "wide", "json", "yaml"):
        done = await backout(*HISTORY, "-o", output)
        assert "TOKEN" in done.out
        assert "hunter2" not in done.out + done.err


@pytest.mark.parametrize("columns", [80, 200])
async def test_a_terminal_gets_words_unbroken_within_its_width(
    backout: Command, api: ApiServer, columns: int
) -> None:
    cause = " ".join(f"word{n:02d}" for n in range(20))
    deploy(api, "127.0.0.1:1/app:v3", cause=cause)
    code, text = await shown(backout, *HISTORY, environment=COLOURS, columns=columns)
    lines = plain(text).splitlines()

    assert code == 0
    assert ESCAPE in text
    assert max(map(len, lines)) <= columns
    assert cause.split() == [w for w in plain(text).split() if w.startswith("word")]


@pytest.mark.usefixtures("api")
async def test_without_colours_no_escape_is_written(backout: Command) -> None:
    _, text = await shown(backout, *HISTORY, environment={"NO_COLOR": "1", **COLOURS})

    assert "REVISION" in text
    assert ESCAPE not in text


async def test_nothing_that_is_hostile_acts_wherever_it_stands(
    backout: Command, api: ApiServer
) -> None:
    def spoil(one: dict[str, Any]) -> None:
        one["metadata"]["annotations"][CAUSE] = HOSTILE
        notes = one["metadata"]["annotations"]
        notes["deployment.kubernetes.io/revision-history"] = f"7,{HOSTILE}"
        pods = one["spec"]["template"]
        pods["metadata"]["annotations"] = {"backout.dev/barrier": HOSTILE, HOSTILE: HOSTILE}
        pods["spec"]["containers"][0].update(image=HOSTILE, env=[{"name": HOSTILE}])

    for one in api.all("replicasets"):
        api.edit("replicasets", one["metadata"]["name"], spoil)
    for flags in ((), ("-o", "wide"), ("-o", "json"), ("-o", "yaml"), ("-o", "name")):
        acts_not((await backout(*HISTORY, *flags)).out)
    for output in ("text", "json"):
        acts_not((await backout(*HISTORY, "--revision", "1", "-o", output)).out)
    for output in ("text", "json", "patch"):
        acts_not((await backout("diff", *HISTORY[1:], "--to-revision", "1", "-o", output)).out)


def acts_not(text: str) -> None:
    assert text
    assert RAW.search(text) is None
    assert "##[" not in text
    assert not any(line.lstrip().startswith("::") for line in text.splitlines())


async def test_a_denied_ledger_and_denied_pods_are_said_and_the_rows_stand(
    backout: Command, api: ApiServer
) -> None:
    api.denied |= {"get leases", "list pods"}
    done = await backout(*HISTORY)

    assert done.code == 0
    assert [line.split(":")[1] for line in done.out.splitlines() if "not read" in line] == [
        " ledger",
        " pods",
    ]


@pytest.mark.usefixtures("api")
@pytest.mark.parametrize("command", ["history", "diff", "ledger", "resume", "status", "check"])
async def test_a_name_that_does_not_exist_gets_its_neighbour(
    backout: Command, command: str
) -> None:
    done = await backout(command, "deploy/webb")

    assert done.code == 1
    assert 'deployments "webb" not found' in done.err
    assert "did you mean deployment/web?" in done.err


async def test_a_namespace_that_does_not_exist_gets_its_neighbour(
    backout: Command, api: ApiServer
) -> None:
    def answered(request: Received) -> Step | None:
        names = {"/api/v1/namespaces": ["shop"], f"{APPS}/shopp/deployments": list[str]()}
        found = names.get(request.path)
        return None if found is None else Answer(json=listing(found))

    api.remove("deployments", "web")
    api.before = answered
    done = await backout(*HISTORY, "-n", "shopp")

    assert done.code == 1
    assert done.lines == [
        "ERROR: there is no namespace shopp",
        "  fix: did you mean -n shop?",
    ]


@pytest.mark.parametrize("how", ["denied", "slow"])
async def test_without_an_answer_in_time_the_error_stands_as_it_is(
    backout: Command, api: ApiServer, how: str
) -> None:
    def script(request: Received) -> Step | None:
        if line_of(request) != "LIST deployments":
            return None
        return Hang() if how == "slow" else failure(403, "Forbidden")

    api.before = script
    done = await backout("history", "deploy/webb")

    assert done.lines == [
        'ERROR: deployments "webb" not found',
        "  fix: check the name, the namespace and the context",
    ]


@pytest.mark.usefixtures("api")
async def test_a_revision_that_does_not_exist_gets_its_neighbour(backout: Command) -> None:
    for words in (
        (*HISTORY, "--revision", "7"),
        ("diff", "deploy/web", "--to-revision", "7"),
        ("ledger", "mark", "deploy/web", "--bad", "--reason", "x", "--revision", "7"),
    ):
        done = await backout(*words)
        assert done.code == 1
        assert "there is no revision 7 of deployment/web; existing: 2, 1" in done.err
        assert "the nearest is revision 1" in done.err
    refused = await backout("undo", "deploy/web", "--to-revision", "7")
    assert refused.code == 3
    assert "revision 1 changes: image app:bad -> app:good" in refused.err


async def test_what_contradicts_itself_is_a_usage_error(backout: Command) -> None:
    for words in (
        (*HISTORY, "--show-values"),
        (*HISTORY, "--revision", "1", "-o", "wide"),
        ("ledger", "mark", "deploy/web", "--healthy", "--bad", "--reason", "x"),
        ("ledger", "deploy/web", "--bad"),
    ):
        assert (await backout(*words)).code == 2, words


def listing(names: list[str]) -> dict[str, Any]:
    items = [{"metadata": {"name": name}} for name in names]
    return {"metadata": {"resourceVersion": "1"}, "items": items}


def plant(api: ApiServer, **container: Any) -> None:
    api.edit(
        "deployments",
        "web",
        lambda web: web["spec"]["template"]["spec"]["containers"][0].update(container),
    )
