"""The Lease: two takers, lost answers, deletion, ledgers that cannot be read, the breaker."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from msgspec.structs import replace

from backout.core.model import Acceptance
from backout.core.preflight.request import Request
from backout.steps.undo import undo
from tests.contract.api_server import ApiServer, bodies, failure, is_undo, line_of
from tests.contract.scripted_server import Answer, Close, Hang, Received, Step
from tests.contract.steps.shop import (
    BAD,
    GOOD,
    LEASE,
    LEDGER,
    QUICK,
    Told,
    control,
    count,
    deploy,
    holder,
    image,
    records,
    running,
    states,
    undone,
)


def undos(api: ApiServer) -> int:
    return sum(is_undo(r) for r in api.requests)


async def together(api: ApiServer, number: int) -> list[Told]:
    """Run several undos that all have their plan before the first goes on."""
    barrier = asyncio.Barrier(number)

    async def one(actor: str) -> Told:
        waited = False

        async def confirm(_: object) -> bool:
            nonlocal waited
            if not waited:
                waited = True
                await barrier.wait()
            return True

        told = Told()
        settings: dict[str, Any] = {"actor": actor, "confirm": confirm, "look_for_leaks": False}
        async with running(api, told, **settings) as run:
            told.outcome = await undo(run)
        return told

    return await asyncio.gather(*(one(f"actor{n}") for n in range(number)))


@pytest.mark.parametrize("number", [2, 5])
async def test_of_several_undos_at_once_exactly_one_acts(api: ApiServer, number: int) -> None:
    told = await together(api, number)
    results = sorted(t.result for t in told)

    assert undos(api) == 1
    assert results == ["refused"] * (number - 1) + ["succeeded"], [t.text for t in told]
    assert image(api) == GOOD
    assert states(api) == ["SUCCEEDED"]
    assert holder(api) == ""


async def test_of_two_undos_on_an_existing_lease_exactly_one_acts(api: ApiServer) -> None:
    await undone(api)
    deploy(api, "127.0.0.1:1/app:bad2")
    before = undos(api)
    told = await together(api, 2)

    assert undos(api) == before + 1
    assert sorted(t.result for t in told) == ["refused", "succeeded"]
    assert states(api) == ["SUCCEEDED", "SUCCEEDED"]


async def test_a_lock_in_use_refuses_with_its_holder_and_its_age(api: ApiServer) -> None:
    is_first = True
    second: list[Told] = []
    is_refused = asyncio.Event()

    async def look() -> None:
        second.append(await undone(api, actor="bob", look_for_leaks=False))
        is_refused.set()

    tasks: list[asyncio.Task[None]] = []

    def after(request: Received, _: Answer) -> Step | None:
        nonlocal is_first
        if is_undo(request) and is_first:
            is_first = False
            api.controller = lambda *_: None
            tasks.append(asyncio.create_task(look()))
        return None

    api.controller = lambda *_: None
    api.after = after
    first = asyncio.create_task(undone(api, look_for_leaks=False))
    await asyncio.wait_for(is_refused.wait(), 10)
    api.controller = control
    api.edit("deployments", "web", lambda w: w["metadata"]["annotations"].update(nudge="1"))
    await first
    await tasks[0]

    assert second[0].result == "refused"
    assert any("ann on here has held the lock" in b for b in second[0].of("blocked"))
    assert undos(api) == 1


@pytest.mark.parametrize("step", [Close(), Hang(), failure(500, "InternalError", "lost")])
@pytest.mark.parametrize("line", ["POST leases", "PUT leases"])
async def test_a_lost_answer_of_taking_the_lock_is_found_again(
    api: ApiServer, step: Step, line: str
) -> None:
    if line == "PUT leases":
        await undone(api)
        deploy(api, "127.0.0.1:1/app:bad2")
    losses = 0
    patches = undos(api)

    def after(request: Received, _: Answer) -> Step | None:
        nonlocal losses
        if line_of(request) == line and not losses:
            losses += 1
            return step
        return None

    api.after = after
    told = await undone(api, write_timeout=0.3)

    assert losses == 1
    assert told.result == "succeeded", told.text
    assert states(api) == ["SUCCEEDED"] * len(records(api))
    assert undos(api) == patches + 1


async def test_a_lock_that_was_never_written_is_written_again(api: ApiServer) -> None:
    drops = 0

    def before(request: Received) -> Step | None:
        nonlocal drops
        if line_of(request) == "POST leases" and drops < 2:
            drops += 1
            return Close()
        return None

    api.before = before
    told = await undone(api)

    assert told.result == "succeeded"
    assert states(api) == ["SUCCEEDED"]


async def test_a_lease_api_that_fails_for_good_ends_unchanged_and_in_words(api: ApiServer) -> None:
    api.before = lambda r: (
        failure(500, "InternalError", "etcd is sad") if line_of(r) == "POST leases" else None
    )
    told = await undone(api)

    assert told.result == "not changed"
    assert undos(api) == 0
    assert image(api) == BAD
    assert "record could not be closed" not in told.text


async def test_taking_the_lock_does_not_outlast_the_time_of_the_whole(api: ApiServer) -> None:
    api.before = lambda r: Hang() if line_of(r) == "POST leases" else None
    limits = replace(QUICK, total=1.5, wind_down=0.5)
    clock = asyncio.get_running_loop().time
    began = clock()
    told = await undone(api, limits=limits, write_timeout=1.0)

    assert told.result == "not changed"
    assert clock() - began < 3.5


async def test_without_the_right_to_leases_it_is_refused_with_the_rule(api: ApiServer) -> None:
    api.denied |= {"create leases", "update leases"}
    told = await undone(api)

    assert told.result == "refused"
    (block,) = [e for e in told.events if e.kind == "blocked"]
    assert block.fields["id"] == "PF804"
    assert "coordination.k8s.io" in str(block.fields["remedy"])


async def test_it_is_asked_about_the_one_lease_by_its_name_where_a_role_can_name_it(
    api: ApiServer,
) -> None:
    await undone(api)
    asked = [
        r.json["spec"]["resourceAttributes"]
        for r in api.requests
        if line_of(r) == "POST selfsubjectaccessreviews"
    ]
    leases = {a["verb"]: a.get("name") for a in asked if a["resource"] == "leases"}

    assert leases == {"get": LEASE, "update": LEASE, "create": None}


async def test_a_lease_that_is_deleted_under_the_run_is_not_made_again(api: ApiServer) -> None:
    def after(request: Received, _: Answer) -> Step | None:
        if "json-patch" in request.headers.get("content-type", ""):
            api.remove("leases", LEASE)
        return None

    api.after = after
    told = await undone(api)

    assert api.all("leases") == []
    assert count(api, "POST leases") == 1
    assert told.result == "undecided"
    assert "deleted under this run" in told.text


async def test_a_lease_that_is_deleted_between_read_and_write_is_not_made_again(
    api: ApiServer,
) -> None:
    def before(request: Received) -> Step | None:
        if line_of(request) == "PUT leases" and api.find("leases", LEASE):
            api.remove("leases", LEASE)
        return None

    api.before = before
    told = await undone(api)

    assert api.all("leases") == []
    assert image(api) == GOOD
    assert told.result == "undecided"


UNREADABLE = {
    "newer": '{"schema": 2, "records": []}',
    "no JSON": "{",
    "no object": "[]",
    "no records": '{"schema": 1}',
    "odd record": '{"schema": 1, "records": [{"op": 1}]}',
    "text": '"schema"',
    "deep": "[" * 100_000,
}


@pytest.mark.parametrize("text", UNREADABLE.values(), ids=UNREADABLE.keys())
async def test_a_ledger_that_cannot_be_read_is_refused_and_not_overwritten(
    api: ApiServer, text: str
) -> None:
    lease = {"metadata": {"name": LEASE, "annotations": {LEDGER: text}}, "spec": {}}
    api.add("leases", lease)
    told = await undone(api)

    assert told.result == "refused"
    assert any("the ledger cannot be read" in b for b in told.of("blocked"))
    assert api.get("leases", LEASE)["metadata"]["annotations"][LEDGER] == text
    assert image(api) == BAD


async def test_a_ledger_that_becomes_newer_under_the_run_is_not_overwritten(
    api: ApiServer,
) -> None:
    text = UNREADABLE["newer"]

    def after(request: Received, _: Answer) -> Step | None:
        if "json-patch" in request.headers.get("content-type", ""):
            api.edit(
                "leases", LEASE, lambda le: le["metadata"]["annotations"].update({LEDGER: text})
            )
        return None

    api.after = after
    told = await undone(api)

    assert api.get("leases", LEASE)["metadata"]["annotations"][LEDGER] == text
    assert told.result == "undecided"


async def test_keys_and_labels_of_the_lease_that_are_not_ours_survive(api: ApiServer) -> None:
    ledger = json.dumps({"schema": 1, "later": {"a": 1}, "records": []})
    metadata = {
        "name": LEASE,
        "labels": {"team": "checkout"},
        "annotations": {LEDGER: ledger, "note": "keep"},
    }
    api.add("leases", {"metadata": metadata, "spec": {}})
    await undone(api)
    lease = api.get("leases", LEASE)

    assert lease["metadata"]["labels"]["team"] == "checkout"
    assert lease["metadata"]["annotations"]["note"] == "keep"
    assert json.loads(lease["metadata"]["annotations"][LEDGER])["later"] == {"a": 1}


async def test_the_breaker_is_judged_on_the_ledger_that_the_write_replaces(
    api: ApiServer,
) -> None:
    async def confirm(_: object) -> bool:
        if not records(api):
            await undone(api, actor="bob", look_for_leaks=False)
            deploy(api, "127.0.0.1:1/app:bad2")
        return True

    told = await undone(api, confirm=confirm, policy=Request(limit=1, successes=1))

    assert told.result == "refused", told.text
    assert len(records(api)) == 1


async def test_accepting_the_breaker_is_recorded(api: ApiServer) -> None:
    await undone(api)
    deploy(api, "127.0.0.1:1/app:bad2")
    accepted = (Acceptance(id="PF801", reason="INC-9"),)
    told = await undone(
        api, policy=Request(limit=1, accepted=accepted, reason="INC-9", successes=1)
    )

    assert told.result == "succeeded", told.text
    assert records(api)[1]["accepted"] == ["PF801"]
    assert records(api)[1]["reason"] == "INC-9"


async def test_the_lock_is_renewed_while_the_rollout_is_watched(api: ApiServer) -> None:
    renewals: list[str] = []

    def after(request: Received, _: Answer) -> Step | None:
        if line_of(request) == "PUT leases" and undos(api):
            renewals.append(request.json["spec"]["renewTime"])
            if len(renewals) == 4:
                api.controller = control
                api.edit("deployments", "web", lambda w: w["metadata"]["annotations"].update(n="1"))
        return None

    api.controller = lambda *_: None
    api.after = after
    told = await undone(api, limits=replace(QUICK, lease=1.0))

    assert told.result == "succeeded", told.text
    assert len(renewals) >= 5
    epochs = {b["spec"]["leaseTransitions"] for b in bodies(api.requests, "PUT leases")}
    assert len(epochs) == 1


async def test_a_lock_that_was_taken_over_is_not_written_again_and_it_is_said(
    api: ApiServer,
) -> None:
    is_taken = False

    def after(request: Received, _: Answer) -> Step | None:
        nonlocal is_taken
        if line_of(request) == "PUT leases" and undos(api) and not is_taken:
            is_taken = True
            api.edit("leases", LEASE, _hand_over)
        elif is_taken and line_of(request) == "GET leases" and api.controller is not control:
            api.controller = control
            api.edit("deployments", "web", lambda w: w["metadata"]["annotations"].update(n="1"))
        return None

    api.controller = lambda *_: None
    api.after = after
    told = await undone(api, limits=replace(QUICK, lease=1.0))

    assert holder(api) == "somebody-else"
    assert "taken over by somebody-else" in told.text
    assert told.result == "undecided"


def _hand_over(lease: dict[str, Any]) -> None:
    lease["spec"]["holderIdentity"] = "somebody-else"
    lease["spec"]["leaseTransitions"] += 1


async def test_a_policy_that_denies_the_lease_is_named_and_no_role_is_asked_for(
    api: ApiServer,
) -> None:
    """open-policy-agent/gatekeeper#256: Leases are denied, Role or not."""
    words = 'admission webhook "validation.gatekeeper.sh" denied the request: no Leases here'

    def before(request: Received) -> Step | None:
        is_ours = line_of(request) == "POST leases"
        return failure(403, "Forbidden", words) if is_ours else None

    api.before = before
    async with running(api) as run:
        outcome = await undo(run)

    assert words in outcome.message
    assert "no Role lifts that" in outcome.remedy
