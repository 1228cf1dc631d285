"""Several questions of several kinds: all must be well, and what was so before is told."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from backout.core.health.expectation import Expected, json_field
from backout.core.preflight.request import Request
from backout.steps.undo import undo
from tests.contract.api_server import ApiServer
from tests.contract.scripted_server import Answer, Hang, Received, ScriptedServer, Step
from tests.contract.steps.shop import QUICK, TRACE, Told, running, shop, states, undone, within

if TYPE_CHECKING:
    from pathlib import Path

    from backout.core.events.event import Event

LIMITS = replace(QUICK, health=1.0)
ONCE = Request(successes=1)
NAMED = replace(ONCE, health=("/ready",))


def asked(api: ApiServer, part: str = "/services/") -> list[str]:
    return [r.path for r in api.requests if part in r.path]


def events(told: Told, kind: str) -> list[Event]:
    return [e for e in told.events if e.kind == kind]


async def test_every_path_is_asked_and_all_must_be_well(api: ApiServer) -> None:
    bad = Answer(status=503)
    api.proxied = lambda r: bad if "/services/" in r.path and "/b" in r.path else Answer()
    told = await undone(api, limits=LIMITS, policy=replace(ONCE, health=("/a", "/b")))

    assert told.result == "failed"
    assert "unhealthy: service web:80/b: HTTP 503" in told.message
    assert {p.rpartition("/")[2] for p in asked(api)} == {"a", "b"}


async def test_a_pod_of_the_target_must_answer_on_every_path(api: ApiServer) -> None:
    api.proxied = lambda r: Answer(status=503 if "/pods/" in r.path and "/b" in r.path else 200)
    told = await undone(api, limits=LIMITS, policy=replace(ONCE, health=("/a", "/b")))

    assert told.result == "refused"
    assert "PF121" in told.message


async def test_a_url_and_a_path_are_asked_together(api: ApiServer) -> None:
    async with ScriptedServer(lambda _: Answer()) as server:
        health = (f"{server.url}/up", "/ready")
        told = await undone(api, limits=LIMITS, policy=replace(ONCE, health=health))

    assert told.result == "succeeded", told.text
    assert f"healthy: {server.url}/up, service web:80/ready answered well" in told.message


async def test_the_answer_must_have_the_expected_field(api: ApiServer) -> None:
    body = b'{"status": "degraded"}'
    api.proxied = lambda r: Answer(body=body if "/services/" in r.path else b'{"status": "ok"}')
    expected = Expected(fields=(json_field("status=ok"),))
    told = await undone(api, limits=LIMITS, policy=replace(ONCE, expected=expected))

    assert told.result == "failed"
    assert "HTTP 200, but its field status is not as expected" in told.message
    assert "degraded" not in told.text


async def test_what_may_not_be_asked_is_named_beside_what_is_healthy(api: ApiServer) -> None:
    api.denied.add("get services/proxy")
    async with ScriptedServer(lambda _: Answer()) as server:
        policy = replace(ONCE, health=(f"{server.url}/up", "/ready"))
        told = await undone(api, limits=LIMITS, policy=policy)
        required = await undone_again(api, replace(policy, require_health=True))

    assert told.result == "succeeded"
    assert "not asked: service web:80/ready: " in told.message
    assert required.result == "undecided"
    assert "--require-health" in required.message


async def undone_again(_: ApiServer, policy: Request) -> Told:
    async with ApiServer() as fresh:
        shop(fresh).denied.add("get services/proxy")
        return await undone(fresh, limits=LIMITS, policy=policy)


async def test_good_answers_must_span_the_soak_time(api: ApiServer) -> None:
    limits = replace(LIMITS, health_interval=0.05, health_soak=0.3)
    told = await undone(api, limits=limits, policy=ONCE)

    assert told.result == "succeeded"
    assert len(asked(api)) >= 4


async def test_an_answer_that_is_cut_off_by_the_end_does_not_hide_the_one_before(
    api: ApiServer,
) -> None:
    script: list[Step] = [Answer(status=503)]

    def proxied(request: Received) -> Step:
        if "/pods/" in request.path:
            return Answer()
        return script.pop() if script else Hang()

    api.proxied = proxied
    told = await undone(api, limits=replace(QUICK, health=0.4, pod_answer=5.0), policy=NAMED)

    assert told.result == "failed"
    assert "HTTP 503" in told.message


# The smoke test.


async def test_a_smoke_test_that_passes_is_healthy_and_knows_what_was_rolled_back(
    api: ApiServer, tmp_path: Path
) -> None:
    told_to = tmp_path / "told"
    line = f'echo "$BACKOUT_NAMESPACE $BACKOUT_WORKLOAD $BACKOUT_REVISION $TRACEPARENT" > {told_to}'
    told = await undone(api, limits=LIMITS, policy=replace(ONCE, health_command=line))

    assert told.result == "succeeded", told.text
    assert "healthy: command echo" in told.message
    assert told_to.read_text().startswith(f"shop deployment/web 1 00-{TRACE}-")
    assert asked(api) == []


async def test_a_smoke_test_that_fails_is_unhealthy_with_its_last_lines(api: ApiServer) -> None:
    line = "echo no route to checkout; exit 1"
    told = await undone(api, limits=LIMITS, policy=replace(ONCE, health_command=line))

    assert told.result == "failed"
    assert states(api) == ["FAILED"]
    (said,) = events(told, "health")
    assert said.fields["lines"] == ["no route to checkout"]
    assert said.fields["answer"] == "unwell"


async def test_a_smoke_test_that_hangs_is_inconclusive(api: ApiServer) -> None:
    limits = replace(QUICK, health=10.0, health_command=0.3)
    policy = replace(ONCE, health_command="sleep 300")
    told = await undone(api, limits=replace(limits, health=0.5), policy=policy)

    assert told.result == "undecided"
    assert "not over after 0.3 s, and killed" in told.message


async def test_a_smoke_test_still_under_way_at_the_end_is_inconclusive(api: ApiServer) -> None:
    policy = replace(ONCE, health_command="sleep 300")
    told = await undone(api, limits=replace(QUICK, health=0.4), policy=policy)

    assert told.result == "undecided"
    assert "no answer before time ran out" in told.message


async def test_an_interruption_during_the_smoke_test_is_told(api: ApiServer) -> None:
    asked_for = asyncio.Event()
    told = Told()

    def emit(event: Event) -> None:
        told.events.append(event)
        if event.kind == "progress" and "checking that they stay up" in event.message:
            asked_for.set()

    policy = replace(ONCE, health_command="sleep 300")
    async with running(api, policy=policy) as run, asyncio.timeout(20):
        rolling = asyncio.create_task(undo(within(run, emit=emit)))
        await asked_for.wait()
        rolling.cancel()
        outcome = await rolling

    assert str(outcome.result) == "interrupted"
    assert states(api)[-1] != "INTENT"


# Before the rollback.


async def test_the_service_is_asked_once_before_anything_is_written(api: ApiServer) -> None:
    told = await undone(api, limits=LIMITS, policy=replace(ONCE, baseline=True))

    kinds = [e.kind for e in told.events]
    assert kinds.index("baseline") < kinds.index("triggered")
    (before,) = events(told, "baseline")
    assert (before.message, before.fields["answer"]) == ("service web:80/ready: HTTP 200", "well")
    assert len(asked(api)) == 2
    first = next(n for n, r in enumerate(api.requests) if "/services/" in r.path)
    assert not any(r.method in {"PATCH", "PUT"} for r in api.requests[:first])


async def test_what_was_unwell_before_is_not_laid_to_the_rollback(api: ApiServer) -> None:
    api.proxied = lambda r: Answer(status=503 if "/services/" in r.path else 200)
    told = await undone(api, limits=LIMITS, policy=replace(NAMED, baseline=True))

    assert told.result == "failed"
    assert "HTTP 503 (was already so before the rollback)" in told.message


async def test_a_smoke_test_is_not_run_before(api: ApiServer, tmp_path: Path) -> None:
    log = tmp_path / "runs"
    policy = replace(ONCE, baseline=True, health_command=f"echo x >> {log}")
    told = await undone(api, limits=LIMITS, policy=policy)

    assert told.result == "succeeded"
    assert events(told, "baseline") == []
    assert log.read_text() == "x\n"


async def test_a_service_that_hangs_delays_nothing_beyond_the_budget(api: ApiServer) -> None:
    script: list[Step] = [Hang()]

    def proxied(request: Received) -> Step:
        return script.pop() if script and "/services/" in request.path else Answer()

    api.proxied = proxied
    limits = replace(LIMITS, preflight=0.3, pod_answer=5.0)
    told = await undone(api, limits=limits, policy=replace(ONCE, baseline=True))

    assert told.result == "succeeded"
    assert "no answer within the preflight budget, 0.3 s" in told.text
    assert ["PF905", "PF906"] in [e.fields["ids"] for e in events(told, "skipped")]


@pytest.mark.parametrize("baseline", [True, False])
async def test_old_pods_that_answer_well_are_no_reason_to_ask_what_for(
    api: ApiServer, *, baseline: bool
) -> None:
    told = await undone(api, policy=replace(ONCE, baseline=baseline))

    assert "PF905" not in [e.fields["id"] for e in events(told, "finding")]
