from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from msgspec.structs import force_setattr

from backout.core.errors import ConfigError, Unauthorized
from backout.kube.client import Client
from backout.kube.connection import Credentials, Plugin
from backout.kube.credentials.exec_plugin import Surroundings
from tests.contract.kube.fixtures import connection_to, refusal
from tests.contract.scripted_server import (
    WITHIN,
    Answer,
    Hang,
    Received,
    ScriptedServer,
    Step,
    Stream,
    server_tls,
)

if TYPE_CHECKING:
    from collections.abc import Callable

V1 = "client.authentication.k8s.io/v1"
WAITING = "waiting for the credential plugin login"


def printing(**status: Any) -> str:
    credential = {"apiVersion": V1, "kind": "ExecCredential", "status": status}
    return f"print({json.dumps(json.dumps(credential))})"


def plugin_of(folder: Path, source: str, **fields: Any) -> Plugin:
    """Write a real program that appends a line to `runs` and then does what `source` says."""
    script = folder / "login"
    script.write_text(
        f"#!{sys.executable}\nimport json, os, sys, time\n"
        f"with open({str(folder / 'runs')!r}, 'a') as runs: runs.write('x\\n')\n{source}\n"
    )
    script.chmod(0o755)
    fields.setdefault("environment", dict(os.environ))
    return Plugin(**{"api_version": V1, "command": str(script), **fields})


def runs(folder: Path) -> int:
    return len((folder / "runs").read_text().splitlines())


async def asked(
    plugin: Plugin, script: list[Step] | None = None, *, times: int = 1, **around: Any
) -> ScriptedServer:
    async with ScriptedServer(script or (lambda _: Answer(json={}))) as server:
        connection = connection_to(server, credentials=Credentials(plugin=plugin))
        async with Client(connection, around=Surroundings(**around)) as client:
            for _ in range(times):
                await client.get("/x")
    return server


def tokens(server: ScriptedServer) -> list[str | None]:
    return [request.headers.get("authorization") for request in server.requests]


async def test_the_plugins_token_is_sent(tmp_path: Path) -> None:
    plugin = plugin_of(tmp_path, printing(token="t1"))
    server = await asked(plugin, times=3)

    assert tokens(server) == ["Bearer t1"] * 3
    assert runs(tmp_path) == 1


async def test_the_plugin_gets_arguments_environment_and_cluster(tmp_path: Path) -> None:
    plugin = plugin_of(
        tmp_path,
        f"open({str(tmp_path / 'seen')!r}, 'w').write(json.dumps("
        "[sys.argv[1:], os.environ['REGION'], json.loads(os.environ['KUBERNETES_EXEC_INFO'])]))\n"
        + printing(token="t"),
        arguments=("a", "b c"),
        environment={**os.environ, "REGION": "eu"},
        cluster={"server": "https://kube", "config": {"audience": "x"}},
    )
    await asked(plugin)
    arguments, region, info = json.loads((tmp_path / "seen").read_text())

    assert (arguments, region) == (["a", "b c"], "eu")
    assert info == {
        "apiVersion": V1,
        "kind": "ExecCredential",
        "spec": {
            "interactive": False,
            "cluster": {"server": "https://kube", "config": {"audience": "x"}},
        },
    }


async def test_requests_at_once_share_one_run(tmp_path: Path) -> None:
    plugin = plugin_of(tmp_path, printing(token="t"))
    async with ScriptedServer(lambda _: Answer(json={})) as server:
        connection = connection_to(server, credentials=Credentials(plugin=plugin))
        async with Client(connection) as client:
            await asyncio.gather(*(client.get("/x") for _ in range(20)))

    assert len(server.requests) == 20
    assert runs(tmp_path) == 1


async def test_requests_at_once_share_one_failure(tmp_path: Path) -> None:
    plugin = plugin_of(tmp_path, "sys.exit(7)")
    async with ScriptedServer() as server:
        connection = connection_to(server, credentials=Credentials(plugin=plugin))
        async with Client(connection) as client:
            asked = [client.get("/x") for _ in range(5)]
            failures = await asyncio.gather(*asked, return_exceptions=True)

    assert all(isinstance(failure, ConfigError) for failure in failures)
    assert runs(tmp_path) == 1
    assert server.requests == []


async def test_an_expired_identity_is_asked_for_again(tmp_path: Path) -> None:
    past = (datetime.now(UTC) - timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    await asked(plugin_of(tmp_path, printing(token="t", expirationTimestamp=past)), times=2)

    assert runs(tmp_path) == 2


async def test_an_identity_that_lasts_is_kept(tmp_path: Path) -> None:
    future = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    await asked(plugin_of(tmp_path, printing(token="t", expirationTimestamp=future)), times=2)

    assert runs(tmp_path) == 1


def counting(folder: Path) -> str:
    """Return a plugin's source whose token is t1 in its first run, t2 in the second."""
    return (
        f"n = len(open({str(folder / 'runs')!r}).readlines())\n"
        f"print(json.dumps({{'apiVersion': {V1!r}, 'kind': 'ExecCredential',"
        " 'status': {'token': f't{n}'}}))"
    )


async def test_after_a_401_a_read_is_asked_once_more_with_a_new_identity(tmp_path: Path) -> None:
    no = refusal(401, "Unauthorized", "Unauthorized")
    server = await asked(plugin_of(tmp_path, counting(tmp_path)), [no, Answer(json={})])

    assert tokens(server) == ["Bearer t1", "Bearer t2"]
    assert len({request.headers["audit-id"] for request in server.requests}) == 2


async def test_after_a_401_a_watch_is_asked_once_more_with_a_new_identity(tmp_path: Path) -> None:
    event = b'{"type": "ADDED", "object": {"kind": "Pod"}}\n'
    script: list[Step] = [refusal(401, "Unauthorized", "Unauthorized"), Stream(chunks=[event])]
    async with ScriptedServer(script) as server:
        credentials = Credentials(plugin=plugin_of(tmp_path, counting(tmp_path)))
        async with Client(connection_to(server, credentials=credentials)) as client:
            events = [event.type async for event in client.watch("/x", resource_version="1")]

    assert events == ["ADDED"]
    assert tokens(server) == ["Bearer t1", "Bearer t2"]


async def test_a_second_401_is_the_answer(tmp_path: Path) -> None:
    no = refusal(401, "Unauthorized", "Unauthorized")
    with pytest.raises(Unauthorized, match="You must be logged in"):
        await asked(plugin_of(tmp_path, printing(token="t")), [no] * 5)

    assert runs(tmp_path) == 2


async def test_a_write_that_meets_401_is_not_repeated(tmp_path: Path) -> None:
    plugin = plugin_of(tmp_path, printing(token="t"))
    no = refusal(401, "Unauthorized", "Unauthorized")
    async with ScriptedServer([no, Answer(json={})]) as server:
        connection = connection_to(server, credentials=Credentials(plugin=plugin))
        async with Client(connection) as client:
            with pytest.raises(Unauthorized):
                await client.replace("/x", {})
            await client.get("/x")

    assert server.lines == ["PUT /x", "GET /x"]
    assert runs(tmp_path) == 2


async def test_the_plugins_client_certificate_is_shown_and_changes(tmp_path: Path) -> None:
    ca = trustme.CA()
    for name in ("one", "two"):
        leaf = ca.issue_cert("x.example", common_name=name)
        chain = b"".join(blob.bytes() for blob in leaf.cert_chain_pems)
        status = {
            "clientCertificateData": chain.decode(),
            "clientKeyData": leaf.private_key_pem.bytes().decode(),
        }
        credential = {"apiVersion": V1, "kind": "ExecCredential", "status": status}
        (tmp_path / name).write_text(json.dumps(credential))
    source = (
        f"n = len(open({str(tmp_path / 'runs')!r}).readlines())\n"
        f"print(open({str(tmp_path)!r} + ('/one' if n == 1 else '/two')).read())"
    )
    plugin = plugin_of(tmp_path, source)

    def script(request: Received) -> Step:
        is_new = request.peer == "two"
        return Answer(json={}) if is_new else refusal(401, "Unauthorized", "no")

    async with ScriptedServer(script, tls=server_tls(ca, ask=True)) as server:
        connection = connection_to(server, ca=ca, credentials=Credentials(plugin=plugin))
        async with Client(connection) as client:
            await client.get("/x")

    assert [request.peer for request in server.requests] == ["one", "two"]


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("sys.exit(3)", "failed with exit code 3"),
        ("print('no'); print('\\x1b[2Jlog in', file=sys.stderr); sys.exit(1)", r": \\x1b\[2Jlog"),
        ("os.kill(os.getpid(), 9)", "exit code -9"),
        ("print('hunter2')", "did not print JSON"),
        ("print('{}')", "did not print an ExecCredential"),
        (
            "print(" + repr(json.dumps({"kind": "ExecCredential", "apiVersion": "x/v9"})) + ")",
            "x/v9",
        ),
        (printing(), "neither a token nor"),
        (printing(token=["hunter2"]), "not text"),
        (printing(clientCertificateData="x"), "without its key"),
        (printing(token="t", expirationTimestamp="soon"), "expirationTimestamp"),
    ],
)
async def test_a_plugin_that_fails_is_an_error_in_words(
    tmp_path: Path, source: str, why: str
) -> None:
    with pytest.raises(ConfigError, match=why) as caught:
        await asked(plugin_of(tmp_path, source))

    assert "the credential plugin login" in caught.value.message
    assert "hunter2" not in caught.value.message
    assert caught.value.remedy


@pytest.mark.parametrize("command", ["no-such-plugin", "./no/such/plugin"])
async def test_a_missing_plugin_gives_its_install_hint(tmp_path: Path, command: str) -> None:
    plugin = plugin_of(tmp_path, "", install_hint="brew install it")
    force_setattr(plugin, "command", command)
    with pytest.raises(ConfigError, match="is not installed") as caught:
        await asked(plugin)

    assert caught.value.remedy == "brew install it"


async def test_a_plugin_of_the_working_directory_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin = plugin_of(tmp_path, printing(token="t"), search_path=".")
    force_setattr(plugin, "command", "login")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="is not installed"):
        await asked(plugin)


async def test_a_file_that_is_no_program_cannot_be_run(tmp_path: Path) -> None:
    plugin = plugin_of(tmp_path, "")
    (tmp_path / "login").chmod(0o600)
    with pytest.raises(ConfigError, match="cannot be run: permission denied"):
        await asked(plugin)


async def test_a_slow_plugin_is_named_and_then_given_up_with_its_children(tmp_path: Path) -> None:
    said: list[str] = []
    source = (
        "child = os.fork()\n"
        f"open({str(tmp_path)!r} + ('/child' if not child else '/parent'), 'w')"
        ".write(str(os.getpid()))\n"
        "time.sleep(60)"
    )
    started = time.monotonic()
    with pytest.raises(ConfigError, match=r"did not answer within 1\.5 s"):
        await asked(plugin_of(tmp_path, source), say=said.append, unattended=1.5, every=0.2)

    assert time.monotonic() - started < WITHIN
    assert said[:2] == [WAITING, f"{WAITING} (1 s)"]
    for name in ("child", "parent"):
        await _gone(int((tmp_path / name).read_text()))


def loops_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Return how so many seconds pass at once for all that the running loop waits for."""
    loop, ahead = asyncio.get_running_loop(), [0.0]
    real = loop.time
    monkeypatch.setattr(loop, "time", lambda: real() + sum(ahead))
    return ahead.append


@pytest.mark.parametrize(("terminal", "seconds"), [(False, 180), (True, 3600)])
async def test_a_login_in_a_browser_is_waited_for_and_its_token_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, terminal: bool, seconds: int
) -> None:
    pass_by, said = loops_clock(monkeypatch), list[str]()
    asks, answered = tmp_path / "asks", tmp_path / "answered"
    plugin = plugin_of(
        tmp_path,
        f"open({str(asks)!r}, 'w').write('x')\n"
        f"while not os.path.exists({str(answered)!r}): time.sleep(0.01)\n" + printing(token="t"),
    )
    asking = asyncio.create_task(asked(plugin, say=said.append, terminal=terminal))
    await _until(lambda: _written(asks))
    pass_by(1)
    await _until(lambda: said == [WAITING])
    pass_by(seconds)
    await _until(lambda: len(said) > 1)
    answered.touch()

    assert tokens(await asking) == ["Bearer t"]
    assert re.fullmatch(rf"{WAITING} \({(seconds + 1) // 10}\d s\)", said[1]), said


async def test_without_a_terminal_a_login_that_nobody_answers_ends_after_a_quarter_of_an_hour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pass_by = loops_clock(monkeypatch)
    source = f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)"
    asking = asyncio.create_task(asked(plugin_of(tmp_path, source)))
    await _until(lambda: _written(tmp_path / "pid"))
    pass_by(899)
    with pytest.raises(ConfigError, match="did not answer within 900 s"):
        await asking

    await _gone(int((tmp_path / "pid").read_text()))


async def _gone(pid: int) -> None:
    # A zombie is dead too. Nobody sends an event for a process that is not ours, nor for a file.
    await _until(lambda: "\nState:\tZ" in _state(pid))


async def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WITHIN
    while not true():
        assert time.monotonic() < deadline
        await asyncio.sleep(0)


def _written(path: Path) -> bool:
    return path.exists() and bool(path.read_text())


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return "\nState:\tZ"


async def test_endless_output_is_bounded(tmp_path: Path) -> None:
    source = "while True: sys.stdout.write('x' * 65536)"
    with pytest.raises(ConfigError, match="did not answer"):
        await asked(plugin_of(tmp_path, source), unattended=0.5)


async def test_a_cancelled_run_leaves_no_plugin_behind(tmp_path: Path) -> None:
    source = f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)"
    plugin = plugin_of(tmp_path, source)
    async with ScriptedServer([Hang()]) as server:
        connection = connection_to(server, credentials=Credentials(plugin=plugin))
        async with Client(connection) as client:
            task = asyncio.create_task(client.get("/x"))
            await _until(lambda: _written(tmp_path / "pid"))
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    await _gone(int((tmp_path / "pid").read_text()))


async def test_a_plugin_that_needs_a_terminal_is_refused_without_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="needs a terminal"):
        await asked(plugin_of(tmp_path, printing(token="t"), interactive_mode="Always"))

    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("mode", "interactive"), [("Never", False), ("IfAvailable", True), ("Always", True)]
)
async def test_on_a_terminal_the_plugin_is_told_so(
    tmp_path: Path, mode: str, *, interactive: bool
) -> None:
    source = (
        "info = json.loads(os.environ['KUBERNETES_EXEC_INFO'])\n"
        f"assert info['spec'] == {{'interactive': {interactive}}}, info\n" + printing(token="t")
    )
    server = await asked(plugin_of(tmp_path, source, interactive_mode=mode), terminal=True)

    assert tokens(server) == ["Bearer t"]


async def test_a_static_token_outranks_the_plugin(tmp_path: Path) -> None:
    plugin = plugin_of(tmp_path, printing(token="t"))
    async with ScriptedServer([Answer(json={})]) as server:
        credentials = Credentials(plugin=plugin, token="static")
        async with Client(connection_to(server, credentials=credentials)) as client:
            await client.get("/x")

    assert tokens(server) == ["Bearer static"]
    assert not (tmp_path / "runs").exists()
