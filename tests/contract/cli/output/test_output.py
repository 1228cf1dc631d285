"""What stands where: stdout, stderr, JSON lines, exit codes; and nothing of the cluster's acts."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.api_server import ApiServer, failure, line_of
from tests.contract.cli.command import Command, finished, send
from tests.contract.scripted_server import Answer, Hang, Received, Step
from tests.contract.steps.shop import (
    BAD,
    CAUSE,
    GOOD,
    control,
    deploy,
    holder,
    image,
    records,
    states,
)

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = "\x1b]0;owned\x07\x1b[2J\u202eevil\u2066\r\n::error::gone\n##[error]x\x9b31m\u200b"
RAW = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")


async def undo(backout: Command, *flags: str, **settings: Any) -> Any:
    return await backout("undo", "deploy/web", "--health-successes", "1", *flags, **settings)


async def test_an_undo_without_a_terminal_does_not_ask_and_ends_with_0(
    backout: Command, api: ApiServer
) -> None:
    done = await undo(backout, "--trace-id", "INC-7")
    out = done.out.splitlines()

    assert done.code == 0, done.err
    assert "rollback triggered for deployment/web to revision=1, traceID=INC-7" in out
    assert 'deployment "web" successfully rolled out' in out
    assert out[-3] == "✓ deployment/web rolled back to revision 1, now revision 3"
    assert out[-2].startswith("  healthy: service web:80")
    assert out[-1] == "  write it up: backout report INC-7"
    assert "[y/N]" not in done.out + done.err
    assert "ERROR" not in done.err
    assert image(api) == GOOD


async def test_json_output_is_json_lines_and_the_announcement_stands_on_stderr_too(
    backout: Command, api: ApiServer
) -> None:
    done = await undo(backout, "-o", "json", "--trace-id", "INC-7")
    line = "rollback triggered for deployment/web to revision=1, traceID=INC-7"
    (triggered,) = [e for e in done.events if e["event"] == "triggered"]

    assert done.code == 0
    assert triggered["message"] == line
    assert line in done.lines
    assert (done.last["event"], done.last["exit"], done.last["result"]) == (
        "outcome",
        0,
        "succeeded",
    )
    assert (done.last["verdict"], done.last["health"]) == ("Complete", "Healthy")
    assert records(api)[0]["traceID"] == "INC-7"


async def test_the_trace_id_is_the_same_everywhere(
    backout: Command, api: ApiServer, tmp_path: Path
) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    backout.environment = {"TRACEPARENT": f"00-{trace}-b7ad6b7169203331-01"}
    done = await undo(backout, "--journal", str(tmp_path / "j"))
    journal = [json.loads(line) for line in (tmp_path / "j").read_text().splitlines()]

    assert f"traceID={trace}" in done.out
    assert {line["traceID"] for line in journal} == {trace}
    assert records(api)[0]["traceID"] == trace
    assert journal[-1]["exit"] == 0


async def test_the_announcement_is_in_the_journal_before_the_patch_arrives(
    backout: Command, api: ApiServer, tmp_path: Path
) -> None:
    path = tmp_path / "j"
    seen: list[str] = []

    def before(request: Received) -> Step | None:
        if line_of(request) == "PATCH deployments":
            seen.append(path.read_text())
        return None

    api.before = before
    await undo(backout, "--journal", str(path))

    assert len(seen) == 1
    assert '"event": "triggered"' in seen[0]


@pytest.mark.parametrize("place", ["/dev/full", "/proc/none", "/nowhere/j", ""])
async def test_a_journal_that_cannot_be_written_stops_everything_before_a_write(
    backout: Command, api: ApiServer, place: str
) -> None:
    done = await undo(backout, "--journal", place)

    assert done.code == 1, done.err
    assert "the journal" in done.err
    assert "--journal" in done.err
    assert api.writes == []
    assert image(api) == BAD


async def test_a_refusal_says_why_and_the_line_that_goes_on(
    backout: Command, api: ApiServer
) -> None:
    for number in (1, 2):
        assert (await undo(backout)).code == 0
        deploy(api, f"127.0.0.1:1/app:bad{number}")
    written = len(api.writes)
    done = await undo(backout, "-n", "shop")

    assert done.code == 3
    assert "ERROR: rollback rate limit exceeded — manual intervention required" in done.lines
    way_on = next(line for line in done.lines if "to roll back anyway: " in line)
    assert "backout undo deploy/web" in way_on
    assert "-n shop --accept PF801 --reason" in way_on
    assert len(api.writes) == written


async def test_already_on_target_revision_has_its_own_words(
    backout: Command, api: ApiServer
) -> None:
    done = await undo(backout, "--to-revision", "2")

    assert done.code == 3
    assert any("already on target revision" in line for line in done.lines)
    assert api.writes == []


@pytest.mark.parametrize("output", ["text", "json"])
async def test_hostile_text_of_the_cluster_never_reaches_the_terminal_raw(
    backout: Command, api: ApiServer, output: str
) -> None:
    for name in ("web-1", "web-2"):
        api.edit(
            "replicasets", name, lambda r: r["metadata"]["annotations"].update({CAUSE: HOSTILE})
        )
    api.edit("deployments", "web", _poison)
    api.proxied = lambda _: Answer(status=500, body=HOSTILE.encode())
    pods = [p["metadata"]["name"] for p in api.all("pods")]
    for name in pods:
        api.edit("pods", name, _poisoned_pod)
    for flags in (("--to-revision", "1", "--dry-run"), ("--accept", "PF121", "--reason", HOSTILE)):
        backout.environment = {"BACKOUT_HEALTH_TIMEOUT": "2s"}
        done = await undo(backout, "-o", output, *flags)

        assert not RAW.search(done.out), flags
        assert not RAW.search(done.err), flags
        for line in (done.out + done.err).splitlines():
            assert not line.strip().startswith(("::", "##")), line


def _poison(web: dict[str, Any]) -> None:
    web["metadata"]["annotations"][CAUSE] = HOSTILE
    container = web["spec"]["template"]["spec"]["containers"][0]
    container["env"] = [{"name": "X", "value": HOSTILE}]


def _poisoned_pod(pod: dict[str, Any]) -> None:
    waiting = {"reason": "ImagePullBackOff", "message": HOSTILE}
    status = {"name": "app", "image": HOSTILE, "restartCount": 0, "state": {"waiting": waiting}}
    pod["status"]["containerStatuses"] = [status]


async def test_an_error_message_of_the_server_is_one_line(backout: Command) -> None:
    async with ApiServer() as api:
        api.before = lambda _: failure(404, "NotFound", HOSTILE * 50)
        backout.point_to(api.url)
        done = await undo(backout)

    assert done.code == 1
    assert not RAW.search(done.err)
    assert max(map(len, done.lines)) < 3000


@pytest.mark.parametrize("closed", ["stdin", "stdout", "stderr", "all"])
async def test_closed_standard_streams_do_not_stop_it(
    backout: Command, api: ApiServer, closed: str
) -> None:
    numbers = {"stdin": [0], "stdout": [1], "stderr": [2], "all": [0, 1, 2]}[closed]

    def close() -> None:
        for number in numbers:
            os.close(number)

    done = await undo(backout, preexec_fn=close)

    assert done.code == 0, done.err
    assert image(api) == GOOD
    assert states(api) == ["SUCCEEDED"]


@pytest.mark.parametrize("output", ["text", pytest.param("json", marks=pytest.mark.every_case)])
@pytest.mark.parametrize("stream", ["stdout", "stderr", "both"])
async def test_a_reader_that_leaves_does_not_stop_a_rollback(
    backout: Command, api: ApiServer, output: str, stream: str
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    streams = ("stdout", "stderr") if stream == "both" else (stream,)
    try:
        done = await undo(backout, "-v", "-o", output, **dict.fromkeys(streams, writing))
    finally:
        os.close(writing)

    assert image(api) == GOOD
    assert states(api) == ["SUCCEEDED"]
    assert holder(api) == ""
    assert done.code == 0


async def test_an_encoding_that_cannot_hold_it_does_not_stop_a_rollback(
    backout: Command, api: ApiServer
) -> None:
    backout.environment = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    api.edit(
        "replicasets",
        "web-1",
        lambda r: r["metadata"]["annotations"].update({CAUSE: "größer — 漢"}),
    )
    done = await undo(backout)

    assert done.code == 0, done.err
    assert states(api) == ["SUCCEEDED"]


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize(
    "line", ["LIST replicasets", "POST leases", "PATCH deployments", "WATCH pods"]
)
@pytest.mark.parametrize("output", ["text", pytest.param("json", marks=pytest.mark.every_case)])
async def test_a_signal_ends_with_its_code_and_a_true_last_line(
    backout: Command, api: ApiServer, sent: signal.Signals, code: int, line: str, output: str
) -> None:
    process = await backout.start("undo", "deploy/web", "-o", output, "--health-successes", "1")
    api.controller = lambda *_: None

    hit: list[str] = []

    def after(request: Received, _: Answer) -> Step | None:
        if line_of(request) == line and not hit:
            hit.append(line)
            send(process, sent)
        return None

    def before(request: Received) -> Step | None:
        if line == "WATCH pods" and line_of(request) == line:
            after(request, Answer())
        return None

    api.after, api.before = after, before
    done = await finished(process)
    last = (
        done.last["message"]
        if output == "json"
        else next(s for s in reversed(done.lines) if not s.startswith(" "))
    )

    assert hit
    assert done.code == code, done.err
    assert "interrupted" in last
    is_sent = any(line_of(r) == "PATCH deployments" for r in api.requests)
    assert ("was set to revision 1" in last) is is_sent
    assert ("nothing was changed" in last) is not is_sent
    assert (image(api) == GOOD) is is_sent
    assert not api.all("leases") or holder(api) == ""
    assert set(states(api)) <= {"APPLIED" if is_sent else "NOT_APPLIED"}, "open, to be resumed"
    if output == "json":
        assert done.last["exit"] == code
    api.controller = control


async def test_a_second_signal_ends_it_at_once_with_a_word(
    backout: Command, api: ApiServer
) -> None:
    hung = asyncio.Event()

    def before(request: Received) -> Step | None:
        if line_of(request) == "PATCH deployments":
            hung.set()
            return Hang()
        return None

    api.before = before
    process = await backout.start("undo", "deploy/web")
    await asyncio.wait_for(hung.wait(), 20)
    send(process, signal.SIGINT)
    async with asyncio.timeout(20):
        while process.returncode is None:
            await asyncio.sleep(0.2)
            send(process, signal.SIGINT)
    done = await finished(process)

    assert done.code == 130
    assert "record may be left open" in done.err
    assert len([r for r in api.requests if line_of(r) == "PATCH deployments"]) == 1


@pytest.mark.parametrize("milliseconds", [0, 1, 2, 3, 5, 8, 13])
async def test_a_signal_at_the_very_end_does_not_turn_the_truth_round(
    backout: Command, api: ApiServer, milliseconds: int
) -> None:
    process = await backout.start("undo", "deploy/web", "--health-successes", "1")

    def after(request: Received, _: Answer) -> Step | None:
        if line_of(request) == "POST events":
            loop = asyncio.get_running_loop()
            loop.call_later(milliseconds / 1000, send, process, signal.SIGINT)
        return None

    api.after = after
    done = await finished(process)

    assert states(api) == ["SUCCEEDED"]
    assert "nothing was changed" not in done.err
    assert "Unclosed" not in done.err
    assert done.code in {0, 130}
    assert "rolled back to revision 1" in (done.err if done.code else done.out)


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("module", ["click", "h11", "yaml"])
async def test_a_signal_while_it_starts_is_told(
    backout: Command, sent: signal.Signals, code: int, module: str
) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-X", "importtime", "-m", "backout", "undo", "deploy/web", "--yes"),
        env=backout.surroundings(),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    async for line in process.stderr:
        if line.decode().rpartition("|")[2].strip().startswith(module):
            send(process, sent)
            break
    done = await finished(process)
    said = [line for line in done.lines if not line.startswith("import time:")]

    assert done.code == code, said
    assert "interrupted: nothing was changed" in said[-1]
