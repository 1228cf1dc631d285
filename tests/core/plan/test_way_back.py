"""What is offered where a rollout has failed: a rollback if there is one, and no second step."""

from __future__ import annotations

from typing import Any

from backout.core.kubernetes import template as templates
from backout.core.ledger.records import Side, State
from backout.core.plan.plan import next_candidate
from backout.core.plan.way_back import ways_back
from backout.core.preflight.request import Request
from tests.core.values_made import lease, preflight, record, snapshot
from tests.objects.deployments import deployment
from tests.objects.replica_sets import replica_set
from tests.objects.templates import template
from tests.objects.times import NOW, ago, stamp

HELD = {"holderIdentity": "op-1", "leaseDurationSeconds": 60, "renewTime": stamp(NOW)}
UNDO = ("undo", "deployment/web", "--context", "prod", "-n", "shop")


def offered(**changes: Any) -> list[str]:
    return ways_back(snapshot(**changes), Request(command=UNDO))


def rolled_back(state: State, **changes: Any) -> dict[str, Any]:
    """Return a Lease of a rollback from revision 2 to revision 3, which is current."""
    two, three = (templates.digest(template(f"reg.example/app:v{n}")) for n in (2, 3))
    made = record(
        source=Side(revision=2, hash=two),
        destination=Side(revision=3, hash=three),
        state=state,
        **changes,
    )
    return lease(made)


def test_the_line_goes_where_undo_would_go_in_the_same_cluster() -> None:
    assert offered() == [
        "roll back to revision 2 (app:v2): backout undo deployment/web -n shop --context prod"
    ]


def test_without_another_revision_nothing_is_offered() -> None:
    assert offered(stored=(replica_set(3),)) == []


def test_after_a_rollback_that_led_here_revisions_are_named() -> None:
    one, two = offered(lease=rolled_back(State.FAILED))
    told = "return to revision 2, where it was before (not recorded healthy): backout undo "
    assert one.startswith(told)
    assert one.endswith("--to-revision 2")
    assert two.startswith("go to revision 1 (")

    (only,) = offered(lease=rolled_back(State.SUCCEEDED))
    assert only.startswith("roll back further, to revision 1 (")
    assert only.endswith("--to-revision 1")


def test_a_line_that_the_limit_would_refuse_says_what_it_needs() -> None:
    used = [record(op, intent_at=ago(minutes=9)) for op in ("op-1", "op-2")]
    needs = "; more than 2 rollbacks in 1 h, so say why"

    assert offered(lease=lease(*used[:1])) == offered()
    (only,) = offered(lease=lease(*used))
    assert only.startswith(f"roll back to revision 2 (app:v2){needs}: backout undo ")
    assert only.endswith(" --accept PF801 --reason 'WHY'")


def test_after_a_failure_the_next_candidate_is_beyond_the_limit_unless_it_was_a_way_back() -> None:
    further, back = (candidate_after_going_to(n) for n in (1, 2))

    assert "; more than 2 rollbacks in 1 h, so say why: " in further
    assert further.endswith("--to-revision 2 --accept PF801 --reason 'WHY'")
    assert "--accept" not in back
    assert back.endswith("--to-revision 1")


def candidate_after_going_to(number: int) -> str:
    """Return what is next after a rollback from revision 3 that failed, as the one to 3 had."""
    one, two, three = (templates.digest(template(f"reg.example/app:v{n}")) for n in (1, 2, 3))
    before = record(
        source=Side(revision=2, hash=two),
        destination=Side(revision=3, hash=three),
        state=State.FAILED,
        intent_at=ago(minutes=9),
    )
    this = record(
        "op-2",
        source=Side(revision=3, hash=three),
        destination=Side(revision=number, hash=(one, two)[number - 1]),
        state=State.APPLIED,
        intent_at=ago(minutes=1),
    )
    now = snapshot(
        workload=deployment(template(f"reg.example/app:v{number}")), lease=lease(before, this)
    )
    return next_candidate(preflight(to=number, lease=lease(before)), now)


def test_a_rollback_that_was_left_open_is_gone_on_with() -> None:
    left = rolled_back(State.APPLIED, intent_at=ago(minutes=3), patched_at=ago(minutes=3))
    (only,) = offered(lease=left)
    assert only == (
        "go on with the rollback that was left open: "
        "backout resume deployment/web -n shop --context prod"
    )


def test_while_somebody_else_rolls_back_nothing_is_offered() -> None:
    elsewhere = record(source=Side(revision=3, hash="x"), state=State.INTENT)
    assert offered(lease=lease(elsewhere, spec=HELD)) == []
    assert offered(lease=lease(elsewhere)) != []
