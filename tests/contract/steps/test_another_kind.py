"""The seam: a kind that the tests alone define is checked and rolled back, with src as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from backout.cli.options import target as targets
from backout.core.errors import Forbidden
from backout.core.ledger.records import lease_name
from backout.core.preflight.request import Request
from backout.core.rights import permissions
from backout.steps.check import check
from tests.contract.api_server import ApiServer, is_undo
from tests.contract.scripted_server import Close
from tests.contract.steps.clone_sets import CLONE_SET, TARGET, clones, image
from tests.contract.steps.shop import GOOD, TRACE, Told, running, undone

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest_asyncio.fixture
async def api() -> AsyncIterator[ApiServer]:
    async with ApiServer() as server:
        yield clones(server)


async def checked(api: ApiServer, told: Told, policy: Request | None = None) -> Told:
    async with running(api, told, target=TARGET, policy=policy) as run:
        told.outcome = await check(run)
    return told


def asked(api: ApiServer) -> set[str]:
    """Return the resources that were asked for, whatever was to be done with them."""
    return {line.split()[1] for line in api.lines}


async def test_a_check_makes_every_check_of_it_by_its_own_history(api: ApiServer) -> None:
    told = await checked(api, Told())

    assert told.message.startswith("cloneset/web could be rolled back to revision 1"), told.text
    assert {"clonesets", "controllerrevisions"} <= asked(api)
    assert not {"deployments", "replicasets"} & asked(api)
    assert api.writes == []


async def test_an_undo_sets_its_template_and_watches_it_by_its_own_counters_and_words(
    api: ApiServer,
) -> None:
    told = await undone(api, target=TARGET)

    assert told.result == "succeeded", told.text
    assert image(api) == GOOD
    assert told.of("triggered") == [
        f"rollback triggered for cloneset/web to revision=1, traceID={TRACE}"
    ]
    assert told.of("rolled_out") == ["all clones of web are up"]
    assert not {"deployments", "replicasets"} & asked(api)
    (happened,) = api.all("events")
    assert happened["involvedObject"]["apiVersion"] == "apps.kruise.io/v1alpha1"
    assert happened["involvedObject"]["kind"] == "CloneSet"
    assert api.find("leases", lease_name(TARGET)) is not None


async def test_a_rollout_of_it_that_is_held_back_is_refused_or_let_go_in_the_same_patch() -> None:
    async with ApiServer() as api:
        clones(api)
        api.edit("clonesets", "web", lambda w: w["spec"].update(updateStrategy={"paused": True}))
        refused = await checked(api, Told())
        done = await undone(api, target=TARGET, policy=Request(successes=2, unpause=True))

        assert "PF105" in refused.message
        assert "the CloneSet rests: its controller would not roll the target out" in refused.text
        assert done.result == "succeeded", done.text
        assert api.get("clonesets", "web")["spec"]["updateStrategy"] == {"paused": False}


async def test_what_is_denied_is_told_with_the_rule_of_its_own_group(api: ApiServer) -> None:
    api.denied = {"patch clonesets"}
    told = await checked(api, Told())
    rule = "{apiGroups: [apps.kruise.io], resources: [clonesets], verbs: [get, list, watch, patch]}"

    assert "PF803" in told.message
    assert any(rule in str(e.fields) for e in told.events)


async def test_its_history_that_is_denied_is_told_with_the_rule_for_it(api: ApiServer) -> None:
    api.denied = {"list controllerrevisions"}
    with pytest.raises(Forbidden) as told:
        await checked(api, Told())

    assert "resources: [controllerrevisions], verbs: [list, watch]" in told.value.remedy


async def test_a_patch_that_got_lost_is_looked_for_on_the_workload_alone(api: ApiServer) -> None:
    """Its controller copies no annotation to the history, which could tell nothing."""
    api.before = lambda request: Close() if is_undo(request) else None
    told = await undone(api, target=TARGET)

    assert told.result == "not changed", told.text
    assert "did not land" in told.message
    after = api.lines[api.lines.index("PATCH clonesets") :]
    assert "PATCH clonesets" in after[1:], "no fence"
    assert "LIST controllerrevisions" not in after


def test_the_command_line_takes_a_kind_that_it_is_given() -> None:
    kinds = (CLONE_SET,)
    for word in ("clone", "cloneset", "CloneSets", "clonesets.v1alpha1.apps.kruise.io"):
        assert targets.parse((f"{word}/web",), "shop", kinds) == TARGET
    assert targets.kind_of("clonesets.apps", kinds) is None


def test_its_permissions_are_of_its_own_groups() -> None:
    assert [str(p) for p in permissions.workload(CLONE_SET)] == [
        "get clonesets",
        "list clonesets",
        "watch clonesets",
        "patch clonesets",
    ]
    assert {p.group for p in permissions.workload(CLONE_SET)} == {"apps.kruise.io"}
