"""`status` and `explain`: they change nothing, and go on without what they may not read."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from backout.steps.explain import explain
from backout.steps.status import status
from tests.contract.api_server import line_of
from tests.contract.scripted_server import Answer
from tests.contract.steps.shop import QUICK, Told, crash_looping, running

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from backout.core.outcome import Outcome
    from backout.steps.run import Run
    from tests.contract.api_server import ApiServer
    from tests.contract.scripted_server import Received, Step

HOSTILE = "x\x1b[2J\u202e ##vso[task.complete]\npassword=hunter2hunter2"


async def told_by(api: ApiServer, command: Callable[[Run], Awaitable[Outcome]]) -> Told:
    told = Told()
    limits = replace(QUICK, total=2.0)
    async with running(api, told, limits=limits) as run, asyncio.timeout(30):
        told.outcome = await command(run)
    return told


async def watched(run: Run) -> Outcome:
    return await status(run, number=None)


def logging(api: ApiServer, answer: Step) -> None:
    def before(request: Received) -> Step | None:
        return answer if request.path.endswith("/log") else None

    api.before = before


@pytest.mark.parametrize("command", [watched, explain], ids=["status", "explain"])
async def test_they_write_nothing(
    api: ApiServer, command: Callable[[Run], Awaitable[Outcome]]
) -> None:
    crash_looping(api, HOSTILE)
    logging(api, Answer(body=b"ends"))
    told = await told_by(api, command)

    assert told.result == "failed", told.text
    writes = [s for s in api.lines if s.split()[0] in {"PUT", "PATCH", "DELETE"}]
    assert writes == []
    assert {s for s in api.lines if s.startswith("POST")} <= {"POST selfsubjectaccessreviews"}


@pytest.mark.parametrize("command", [watched, explain], ids=["status", "explain"])
async def test_the_last_lines_are_of_the_previous_run_and_secrets_in_them_are_masked(
    api: ApiServer, command: Callable[[Run], Awaitable[Outcome]]
) -> None:
    crash_looping(api, HOSTILE)
    logging(api, Answer(body=f"starts\n{HOSTILE}\n".encode()))
    told = await told_by(api, command)
    (logs,) = [e for e in told.events if e.kind == "logs"]

    assert "previous run" in logs.message
    assert "password=***" in str(logs.fields["lines"])
    assert "hunter2" not in told.text + str(logs.fields)
    (asked,) = [r for r in api.requests if r.path.endswith("/log")]
    assert (asked.query["previous"], asked.query["tailLines"]) == ("true", "20")


@pytest.mark.parametrize("command", [watched, explain], ids=["status", "explain"])
async def test_without_the_right_to_logs_the_verdict_is_the_same_and_the_right_is_named(
    api: ApiServer, command: Callable[[Run], Awaitable[Outcome]]
) -> None:
    crash_looping(api, HOSTILE)
    refused = {"kind": "Status", "code": 403, "reason": "Forbidden", "message": "no pods/log"}
    logging(api, Answer(status=403, json=refused))
    told = await told_by(api, command)

    assert told.result == "failed", told.text
    (note,) = [n for n in told.of("note") if "log of Pod" in n]
    assert "pods/log" in note


@pytest.mark.slow
async def test_a_log_that_hangs_does_not_hold_the_verdict_up(api: ApiServer) -> None:
    crash_looping(api, HOSTILE)
    never = asyncio.Event()
    logging(api, Answer(body=b"late", before=never))
    began = asyncio.get_running_loop().time()
    told = await told_by(api, explain)

    assert told.result == "failed"
    assert asyncio.get_running_loop().time() - began < 10


@pytest.mark.parametrize("resource", ["pods", "events", "leases"])
async def test_explain_goes_on_without_what_it_may_not_read_and_says_so(
    api: ApiServer, resource: str
) -> None:
    crash_looping(api, HOSTILE)
    logging(api, Answer(body=b"ends"))
    api.denied.add(f"list {resource}")
    api.denied.add(f"get {resource}")
    told = await told_by(api, explain)

    assert told.result in {"failed", "progressing"}, told.text
    assert (resource == "leases") or f"{resource} is forbidden" in told.text


async def test_explain_reads_each_kind_once(api: ApiServer) -> None:
    logging(api, Answer(body=b"ends"))
    await told_by(api, explain)
    lists = [line_of(r) for r in api.requests if line_of(r).startswith("LIST")]

    assert len(lists) == len(set(lists))
