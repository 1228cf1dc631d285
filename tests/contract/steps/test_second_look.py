"""Our own look before a cause of somebody else is final, and the signs of life meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from backout.core.preflight.request import Request
from backout.steps.explain import explain
from backout.steps.status import status
from tests.contract.api_server import failure, line_of
from tests.contract.scripted_server import Answer
from tests.contract.steps.shop import QUICK, Told, running

if TYPE_CHECKING:
    from tests.contract.api_server import ApiServer
    from tests.contract.scripted_server import Received, Step

pytestmark = pytest.mark.slow
QUICKLY = replace(QUICK, total=5.0, sign_of_life=0.3)
LATE = {"metadata": {"name": "late"}, "data": {"key": "value"}}


def needs_late(api: ApiServer) -> None:
    """Let the bad revision's Pod wait for ConfigMap `late`."""
    text = 'configmap "late" not found'
    waits = {"state": {"waiting": {"reason": "CreateContainerConfigError", "message": text}}}

    def change(pod: dict[str, Any]) -> None:
        pod["status"]["containerStatuses"] = [{"name": "app", "image": "x", **waits}]

    api.edit("pods", "web-2-0", change)


async def followed(api: ApiServer, policy: Request, *, limits: Any = QUICKLY) -> Told:
    told = Told()
    async with running(api, told, limits=limits, policy=policy) as run:
        told.outcome = await status(run, number=None)
    return told


def looks(api: ApiServer) -> int:
    return sum(line_of(r) == "GET configmaps" for r in api.requests)


async def test_what_is_missing_to_us_as_well_is_final_after_the_patience(api: ApiServer) -> None:
    needs_late(api)
    told = await followed(api, Request(patience=1.5))

    assert told.result == "failed", told.text
    causes = [e for e in told.events if e.kind == "cause"]
    assert [c.fields["final"] for c in causes] == [False, True]
    assert causes[0].fields["group"] == "somebody else"
    assert causes[0].message.endswith("; counts as failed in 2 s unless it appears")
    assert 0 < causes[0].fields["final_in"] <= 1.5
    assert looks(api) >= 1


async def test_what_is_there_to_us_is_never_final_however_long_the_kubelet_says_so(
    api: ApiServer,
) -> None:
    api.add("configmaps", LATE)
    needs_late(api)
    told = await followed(api, Request(patience=0.0), limits=replace(QUICKLY, total=2.0))

    assert told.result == "undecided", told.text
    assert not any(e.fields["final"] for e in told.events if e.kind == "cause")
    assert looks(api) >= 1


async def test_without_the_right_to_look_the_kubelets_word_counts(api: ApiServer) -> None:
    def before(request: Received) -> Step | None:
        denied = line_of(request) == "GET configmaps"
        return failure(403, "Forbidden", "configmaps is forbidden") if denied else None

    needs_late(api)
    api.before = before
    told = await followed(api, Request(patience=0.0))

    assert told.result == "failed", told.text


async def test_in_a_hurry_nothing_is_looked_at(api: ApiServer) -> None:
    needs_late(api)
    told = await followed(api, Request(fail_fast=True))

    assert told.result == "failed", told.text
    assert looks(api) == 0


FOREIGN = b"exec /w/app: exec format error\n"


def ends_at_once(api: ApiServer, log: Answer) -> None:
    """Let the bad revision's Pod end in the second in which it starts, and say this."""
    at = "2026-01-01T00:00:00Z"
    ended = {"exitCode": 1, "reason": "Error", "startedAt": at, "finishedAt": at}
    waits = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}

    def change(pod: dict[str, Any]) -> None:
        told = {"name": "app", "image": "x", "state": waits, "lastState": {"terminated": ended}}
        pod["status"]["containerStatuses"] = [{**told, "restartCount": 1}]

    api.edit("pods", "web-2-0", change)
    api.before = lambda request: log if request.path.endswith("/log") else None


def first_looks(api: ApiServer) -> int:
    return sum(r.query.get("tailLines") == "3" for r in api.requests)


async def test_what_a_container_said_last_tells_that_its_program_is_of_another_platform(
    api: ApiServer,
) -> None:
    ends_at_once(api, Answer(body=FOREIGN))
    told = await followed(api, Request(), limits=replace(QUICKLY, total=2.0))

    codes = [e.fields["code"] for e in told.events if e.kind == "cause"]
    assert codes[-1:] == ["IMAGE_PLATFORM"], told.text
    assert first_looks(api) == 1, "what a log has told is told for good"


@pytest.mark.parametrize(
    "log", [Answer(body=b"cannot open config\n"), Answer(status=403, json={"kind": "Status"})]
)
async def test_any_other_last_words_or_none_leave_it_a_crash(api: ApiServer, log: Answer) -> None:
    ends_at_once(api, log)
    told = await followed(api, Request(), limits=replace(QUICKLY, total=2.0))

    codes = {e.fields["code"] for e in told.events if e.kind == "cause"}
    assert codes == {"CRASH_LOOP"}, told.text
    assert first_looks(api) == 1


async def test_explain_reads_it_too(api: ApiServer) -> None:
    ends_at_once(api, Answer(body=FOREIGN))
    told = Told()
    async with running(api, told) as run:
        told.outcome = await explain(run)

    assert "exec format error" in told.text


async def test_what_is_awaited_is_said_again_and_again(api: ApiServer) -> None:
    needs_late(api)
    told = await followed(api, Request(), limits=replace(QUICKLY, total=2.5))

    signs = [e for e in told.events if e.kind == "progress" and e.fields.get("repeated")]
    assert len(signs) >= 1
    assert "ConfigMap late does not exist" in signs[0].message
    assert "counts as failed in " in signs[0].message


@pytest.mark.parametrize("is_there", [True, False])
async def test_explain_says_how_long_it_is_waited_for_and_calls_it_final_at_no_patience(
    api: ApiServer, *, is_there: bool
) -> None:
    if is_there:
        api.add("configmaps", LATE)
    needs_late(api)
    told = Told()
    async with running(api, told, policy=Request(patience=0.0)) as run:
        told.outcome = await explain(run)

    finals = [e.fields["final"] for e in told.events if e.kind == "cause"]
    assert finals == [not is_there]
    assert told.result == ("progressing" if is_there else "failed")
