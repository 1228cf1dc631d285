"""The deletion of a Pod that holds the rollback up: recorded first, guarded, judged anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from msgspec.structs import replace

from backout.core.ledger.records import lease_name
from backout.core.preflight.request import Request
from tests.contract.api_objects import status
from tests.contract.api_server import ApiServer, line_of
from tests.contract.scripted_server import Answer, Close
from tests.contract.steps.shop import QUICK, undone
from tests.contract.steps.stateful import TARGET, control, deleted, fill, stateful

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.contract.scripted_server import Received
    from tests.contract.steps.shop import Told

REPLACES = Request(successes=1, replace_stuck_pods=True, patience=2.0)


@pytest_asyncio.fixture
async def api() -> AsyncIterator[ApiServer]:
    async with ApiServer() as server:
        yield stateful(server)


async def replaced(api: ApiServer) -> Told:
    """Undo; whenever a Pod has gone the controller makes it anew."""

    def act(server: ApiServer, obj: dict[str, Any]) -> None:
        control(server, obj)

    api.controller = act
    answered = api.after

    def after(request: Received, answer: Answer) -> Any:
        if line_of(request) == "DELETE pods" and answer.status == 200:
            fill(api)
        return answered(request, answer)

    api.after = after
    return await undone(api, target=TARGET, policy=REPLACES)


def is_delete(request: Received) -> bool:
    return line_of(request) == "DELETE pods"


async def test_it_is_on_record_before_it_is_deleted_and_the_delete_names_uid_and_version(
    api: ApiServer,
) -> None:
    stuck = api.get("pods", "web-2")["metadata"]
    told = await replaced(api)

    assert told.result == "succeeded", told.text
    (request,) = [r for r in api.writes if is_delete(r)]
    assert request.json["preconditions"] == {
        "uid": stuck["uid"],
        "resourceVersion": stuck["resourceVersion"],
    }
    writes = [line_of(r) for r in api.writes]
    patched, gone = writes.index("PATCH statefulsets"), writes.index("DELETE pods")
    assert patched < gone
    assert f'"web-2\\": \\"{stuck["uid"]}'.replace(": ", ":").replace("\\", "") in _ledger(api)
    assert "PUT leases" in writes[patched:gone]


async def test_several_are_deleted_one_at_a_time_the_lowest_first() -> None:
    async with ApiServer() as api:
        stateful(api, broken=2)
        told = await replaced(api)

        assert told.result == "succeeded", told.text
        assert list(deleted(api)) == ["web-1", "web-2"]


@pytest.mark.slow
async def test_a_pod_that_becomes_ready_at_the_last_moment_is_not_hit(api: ApiServer) -> None:
    """The name and the UID are the same: the resourceVersion alone tells."""

    def ready(request: Received) -> None:
        if is_delete(request):
            condition = [{"type": "Ready", "status": "True"}]
            api.edit("pods", "web-2", lambda p: p["status"].update(conditions=condition))

    api.before = ready
    told = await undone(api, target=TARGET, policy=REPLACES, limits=replace(QUICK, total=3.0))

    assert list(deleted(api)) == ["web-2"]
    assert api.find("pods", "web-2") is not None, told.text


async def test_a_deletion_whose_answer_is_lost_is_not_made_of_the_successor(
    api: ApiServer,
) -> None:
    api.after = lambda request, _: Close() if is_delete(request) else None
    told = await replaced(api)

    assert told.result == "succeeded", told.text
    assert list(deleted(api)) == ["web-2"]


async def test_who_may_not_delete_is_told_and_the_way_on_is_the_open_record(
    api: ApiServer,
) -> None:
    def forbidden(request: Received) -> Answer | None:
        told = status(403, "Forbidden", "no, not you")
        return Answer(status=403, json=told) if is_delete(request) else None

    api.before = forbidden
    told = await undone(api, target=TARGET, policy=REPLACES)

    assert told.result == "failed", told.text
    assert any("could not be deleted: no, not you" in w for w in told.of("warning")), told.text
    assert '"state":"APPLIED"' in _ledger(api)


async def test_without_the_flag_nothing_is_deleted(api: ApiServer) -> None:
    told = await undone(api, target=TARGET, policy=Request(successes=1, patience=0.0))

    assert told.result == "failed", told.text
    assert list(deleted(api)) == []


def _ledger(api: ApiServer) -> str:
    lease = api.get("leases", lease_name(TARGET))
    return str(lease["metadata"]["annotations"]["backout.dev/ledger"])
