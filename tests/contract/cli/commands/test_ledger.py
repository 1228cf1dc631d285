"""`backout ledger`: which ledger is read, and what both views say of what was left open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from backout.core.ledger.records import OURS, WORKLOAD, State
from tests.contract.steps.shop import LEASE
from tests.core.values_made import lease, record

if TYPE_CHECKING:
    from tests.contract.api_server import ApiServer
    from tests.contract.cli.command import Command


async def test_a_local_ledger_is_shown_to_who_may_not_read_leases(
    backout: Command, api: ApiServer
) -> None:
    api.denied |= {"get leases", "list leases"}

    local = await backout("ledger", "deploy/web", "--ledger", "local")
    cluster = await backout("ledger", "deploy/web")

    assert (local.code, local.out.splitlines()[0]) == (0, "no rollbacks recorded")
    assert cluster.code == 1


OPEN = "go on with what was left open: backout resume deploy"
UNDER_WAY = "a rollback is under way; if its process has died, go on with it: backout resume deploy"


def keep(api: ApiServer, *states: State, **spec: Any) -> None:
    """Let the workload's Lease hold these records, the oldest first."""
    at = api.now()
    kept = [record(f"op-{i}", state=one, intent_at=at) for i, one in enumerate(states)]
    made = lease(*kept, spec=spec)
    annotations = {WORKLOAD: "deployment/web", **made["metadata"]["annotations"]}
    made["metadata"] = {"name": LEASE, "labels": {**OURS}, "annotations": annotations}
    api.add("leases", made)


def held(api: ApiServer) -> dict[str, Any]:
    renewed = api.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return {"holderIdentity": "op-0", "leaseDurationSeconds": 60, "renewTime": renewed}


@pytest.mark.parametrize("words", [("ledger", "deploy/web"), ("ledger",)], ids=["view", "list"])
async def test_both_views_tell_of_any_rollback_that_was_left_open(
    backout: Command, api: ApiServer, words: tuple[str, ...]
) -> None:
    keep(api, State.APPLIED, State.FAILED)

    assert OPEN in (await backout(*words)).out.splitlines()[-1]


@pytest.mark.parametrize("words", [("ledger", "deploy/web"), ("ledger",)], ids=["view", "list"])
async def test_of_a_rollback_that_somebody_is_at_both_views_say_so(
    backout: Command, api: ApiServer, words: tuple[str, ...]
) -> None:
    keep(api, State.APPLIED, **held(api))

    assert UNDER_WAY in (await backout(*words)).out.splitlines()[-1]


@pytest.mark.parametrize("words", [("ledger", "deploy/web"), ("ledger",)], ids=["view", "list"])
async def test_where_all_has_ended_neither_view_names_a_way_on(
    backout: Command, api: ApiServer, words: tuple[str, ...]
) -> None:
    keep(api, State.SUCCEEDED)

    assert "backout resume" not in (await backout(*words)).out
