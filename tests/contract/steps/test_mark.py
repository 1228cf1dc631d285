"""A word of a person or a pipeline in the memory: written beside whatever the lock does."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from backout.core.errors import BackoutError, ConfigError
from backout.core.preflight.request import Request
from backout.steps.ledger.lease import LockLost
from backout.steps.mark import mark
from tests.contract.api_server import ApiServer, is_undo, line_of
from tests.contract.scripted_server import Answer, Close, Received, Step
from tests.contract.steps.crash import crashed
from tests.contract.steps.shop import GOOD, LEASE, LEDGER, count, deploy, image, running, undone

if TYPE_CHECKING:
    from backout.core.outcome import Outcome

DIGEST = "sha256:" + "b" * 64


async def marked(
    api: ApiServer, *, number: int | None = None, healthy: bool = False, reason: str = "INC-7"
) -> Outcome:
    policy = Request(reason=reason)
    async with running(api, policy=policy, actor="bob") as run, asyncio.timeout(30):
        return await mark(run, number=number, healthy=healthy)


def memory(api: ApiServer) -> dict[int, dict[str, Any]]:
    """Return what is remembered, by revision."""
    ledger = json.loads(api.get("leases", LEASE)["metadata"]["annotations"][LEDGER])
    return {one["revision"]: one for one in ledger["memory"].values()}


async def test_a_bad_mark_is_passed_over_and_says_by_whom_and_why(api: ApiServer) -> None:
    api.edit("deployments", "web", lambda w: w["spec"].update(replicas=1))
    outcome = await marked(api, number=1)
    told = await undone(api)

    assert outcome.message == "revision 1 of deployment/web is marked bad"
    assert memory(api)[1]["bad"]["why"] == "marked by bob: INC-7"
    assert told.result == "refused"
    assert image(api) != GOOD


async def test_a_healthy_mark_is_proof_with_the_digests_that_run(api: ApiServer) -> None:
    api.edit("pods", "web-1-0", _runs_digest)
    await marked(api, number=1, healthy=True)
    one = memory(api)[1]

    assert one["lastHealthyAt"] == one["firstHealthyAt"]
    assert one["told"] == "marked by bob: INC-7"
    assert one["images"] == {"app": DIGEST}
    told = await undone(api)
    assert "recorded healthy" in told.of("target")[0]


def _runs_digest(pod: dict[str, Any]) -> None:
    pod["status"]["containerStatuses"] = [
        {"name": "app", "imageID": f"127.0.0.1:1/app@{DIGEST}", "ready": True}
    ]


async def test_without_a_number_the_current_revision_is_meant(api: ApiServer) -> None:
    await marked(api)

    assert list(memory(api)) == [2]


async def test_a_revision_that_does_not_exist_is_an_error_with_those_that_do(
    api: ApiServer,
) -> None:
    with pytest.raises(ConfigError, match="no revision 9 of deployment/web; existing: 2, 1"):
        await marked(api, number=9)
    assert api.all("leases") == []


async def test_the_lock_and_the_records_are_left_as_they_are(api: ApiServer) -> None:
    await crashed(api, is_undo, applied=False)
    before = api.get("leases", LEASE)
    await marked(api, number=1, healthy=True)
    after = api.get("leases", LEASE)

    assert after["spec"] == before["spec"]
    old, new = (json.loads(one["metadata"]["annotations"][LEDGER]) for one in (before, after))
    assert new["records"] == old["records"]
    assert new["holder"] == old["holder"]
    assert new["memory"] != old["memory"]


async def test_a_word_outlives_a_race_with_a_rollback(api: ApiServer) -> None:
    """Somebody writes the Lease between each of its reads and writes, three times."""
    await undone(api)
    races = 3

    def before(request: Received) -> Step | None:
        nonlocal races
        if line_of(request) == "PUT leases" and races:
            races -= 1
            api.edit(
                "leases", LEASE, lambda lease: lease["metadata"]["labels"].update(n=str(races))
            )
        return None

    api.before = before
    await marked(api, number=2)

    assert races == 0
    assert memory(api)[2]["bad"] is not None


async def test_a_lost_answer_is_written_again_and_comes_to_the_same(api: ApiServer) -> None:
    await undone(api)
    puts = count(api, "PUT leases")

    def after(request: Received, _: Answer) -> Step | None:
        is_first = line_of(request) == "PUT leases" and count(api, "PUT leases") == puts + 1
        return Close() if is_first else None

    api.after = after
    await marked(api, number=2)

    assert memory(api)[2]["bad"]["why"] == "marked by bob: INC-7"


async def test_a_ledger_that_cannot_be_read_is_not_overwritten(api: ApiServer) -> None:
    await undone(api)
    text = '{"schema":2}'
    api.edit("leases", LEASE, lambda lease: lease["metadata"]["annotations"].update({LEDGER: text}))

    with pytest.raises((LockLost, BackoutError), match="cannot be read"):
        await marked(api, number=2)
    assert api.get("leases", LEASE)["metadata"]["annotations"][LEDGER] == text


async def test_the_newest_word_counts_after_a_rollback_too(api: ApiServer) -> None:
    await undone(api)
    await marked(api, number=2, healthy=True)
    deploy(api, "127.0.0.1:1/app:bad3")
    told = await undone(api, policy=Request(limit=9, successes=1))

    assert told.result in {"succeeded", "failed"}, told.text
    assert "known to be bad" not in told.of("target")[0]


async def test_nothing_is_read_that_the_role_of_a_mark_does_not_grant(api: ApiServer) -> None:
    await marked(api, number=1, healthy=True)

    assert set(api.lines) <= {
        "GET deployments",
        "LIST replicasets",
        "LIST pods",
        "GET leases",
        "POST leases",
        "PUT leases",
        "GET /version",
    }
