from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backout.core.kinds.replica_sets import EARLIER
from backout.core.ledger import breaker
from backout.core.ledger.foreign import Foreign, rollbacks
from backout.core.ledger.records import KEPT, Ledger, Side, State
from tests.core.checks.running import found_by
from tests.core.values_made import lease, preflight, record, revision
from tests.objects.deployments import deployment
from tests.objects.replica_sets import replica_set
from tests.objects.templates import template
from tests.objects.times import NOW, ago, stamp


def came_back(number: int, *earlier: int, **changes: Any) -> Any:
    return revision(number, earlier=tuple(map(str, earlier)), **changes)


def wrote(
    manager: str, minutes: float, operation: str = "Update", fields: Any = None
) -> dict[str, Any]:
    return {
        "manager": manager,
        "operation": operation,
        "time": stamp(ago(minutes=minutes)),
        "fieldsV1": fields or {"f:spec": {"f:template": {}}},
    }


def web(*entries: dict[str, Any]) -> dict[str, Any]:
    return deployment(metadata={"managedFields": list(entries)})


KUBECTL = wrote("kubectl", 5)


def test_a_revision_that_never_came_back_is_nobodys_rollback() -> None:
    history = [revision(2, is_current=True), revision(1)]
    assert rollbacks(web(KUBECTL), history, Ledger()) == Foreign(count=0)


def test_each_comeback_without_a_record_is_counted_and_the_newest_dated_by_kubectl() -> None:
    history = [came_back(5, 1, 3, is_current=True), revision(4), came_back(2, 1)]
    found = rollbacks(web(KUBECTL), history, Ledger())
    assert (found.count, found.revisions) == (3, (2, 5))
    assert found.proven_at == ago(minutes=5)


def test_a_comeback_that_a_record_explains_is_ours() -> None:
    history = [came_back(3, 1, is_current=True)]
    ours = record(state=State.SUCCEEDED, destination=Side(revision=1, hash="hash-3"))
    never = record(state=State.NOT_APPLIED, destination=Side(revision=1, hash="hash-3"))
    assert rollbacks(web(KUBECTL), history, Ledger(records=(ours,))).count == 0
    assert rollbacks(web(KUBECTL), history, Ledger(records=(never,))).count == 1


@pytest.mark.parametrize(("minutes", "proven"), [(3, False), (7, True)])
def test_what_kubectl_wrote_before_a_rollback_whose_fields_were_handed_back_proves_nothing(
    minutes: float, *, proven: bool
) -> None:
    elsewhere = Side(revision=2, hash="hash-2")
    ours = record(is_healed=True, patched_at=ago(minutes=minutes), destination=elsewhere)
    found = rollbacks(web(KUBECTL), [came_back(3, 1, is_current=True)], Ledger(records=(ours,)))

    assert found.count == 1
    assert (found.proven_at is not None) is proven


def test_where_records_were_pruned_nothing_is_said() -> None:
    many = tuple(record(f"op-{n}") for n in range(KEPT))
    history = [came_back(3, 1, is_current=True)]
    assert rollbacks(web(KUBECTL), history, Ledger(records=many)) == Foreign(count=0)


@pytest.mark.parametrize(
    "entries",
    [
        (),
        (wrote("helm", 5),),
        (wrote("kubectl", 5, "Apply"),),
        (KUBECTL, wrote("argocd-controller", 4)),
        (wrote("kubectl", 5, fields={"f:metadata": {}}),),
        ({"manager": "kubectl", "operation": "Update"},),
    ],
)
def test_only_kubectls_own_newest_write_of_the_template_proves_when(entries: Any) -> None:
    found = rollbacks(web(*entries), [came_back(3, 1, is_current=True)], Ledger())
    assert (found.count, found.proven_at) == (1, None)


def test_a_comeback_that_is_not_current_any_more_is_not_dated() -> None:
    history = [revision(4, is_current=True), came_back(3, 1)]
    assert rollbacks(web(KUBECTL), history, Ledger()).proven_at is None


def looked_at(minutes: float, **policy: Any) -> Any:
    """Look at a workload whose current revision came back by kubectl so long ago."""
    sets = (replica_set(1), replica_set(2), replica_set(3, notes={EARLIER: "1"}))
    workload = deployment(
        template("reg.example/app:v3"), metadata={"managedFields": [wrote("kubectl", minutes)]}
    )
    return preflight(workload=workload, stored=sets, lease=lease(), policy=policy)


def test_it_is_told_with_the_revision_and_whether_it_counts() -> None:
    (found,) = found_by("PF806", looked_at(5))
    assert "rolled back without backout once: revision 3" in found.message
    assert found.detail == "the newest counts towards the limit: kubectl wrote it 5 min ago"
    assert found_by("PF806", preflight()) == ()


def test_a_proven_one_counts_for_the_breaker_while_it_is_in_the_window() -> None:
    (found,) = found_by("PF801", looked_at(5, limit=1))
    assert "5 min ago by kubectl, without backout" in found.detail
    assert found_by("PF801", looked_at(5, limit=2)) == ()
    assert found_by("PF801", looked_at(61, limit=1)) == ()


moments = st.lists(st.integers(0, 7200), max_size=5)


@given(moments, moments, st.integers(1, 4))
def test_the_breaker_counts_others_rollbacks_like_ours(
    ours: list[int], others: list[int], limit: int
) -> None:
    made = [record(f"op-{i}", intent_at=ago(seconds=s)) for i, s in enumerate(ours)]
    policy: dict[str, Any] = {"now": NOW, "limit": limit, "window": NOW - ago(hours=1)}
    mixed = breaker.judge(made, others=[ago(seconds=s) for s in others], **policy)
    alike = [record(f"x-{i}", intent_at=ago(seconds=s)) for i, s in enumerate([*ours, *others])]
    all_ours = breaker.judge(alike, **policy)
    assert type(mixed) is type(all_ours)
    assert getattr(mixed, "until", None) == getattr(all_ours, "until", None)
    assert len(mixed.counted) + len(mixed.others) == len(all_ours.counted)
