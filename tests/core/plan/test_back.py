"""Where a rollback has led here already: the lines that go anywhere else."""

from __future__ import annotations

from typing import Any

from backout.core.kubernetes import template as templates
from backout.core.ledger.once import Back
from backout.core.ledger.records import Side, State
from backout.core.plan.back import ways_on
from backout.core.preflight.request import Request
from tests.core.values_made import record, snapshot
from tests.objects.deployments import deployment
from tests.objects.templates import template

RESTART = {"kubectl.kubernetes.io/restartedAt": "2026-11-28T03:00:00Z"}


def side(number: int) -> Side:
    wanted = template(f"reg.example/app:v{number}")
    return Side(revision=number, hash=templates.digest(wanted))


def ways(state: State, **notes: Any) -> str:
    """Return the lines after a rollback from revision 3 to 2, which is asked for with `notes`."""
    wanted = template("reg.example/app:v2")
    wanted["metadata"]["annotations"] = notes
    back = Back(record=record(source=side(3), destination=side(2), state=state), is_recent=True)
    return " ".join(ways_on(back, snapshot(workload=deployment(wanted)), Request()))


def test_what_only_restarts_what_is_asked_for_is_no_way_on() -> None:
    """Somebody has restarted it just now, and no revision has that template so far."""
    assert "--to-revision 1" in ways(State.SUCCEEDED, **RESTART)
    assert "--to-revision 2" not in ways(State.SUCCEEDED, **RESTART)


def test_the_way_back_stands_first_where_the_rollback_did_not_succeed() -> None:
    assert ways(State.FAILED).startswith("return to revision 3, where it was before (")
    assert "--to-revision 3" not in ways(State.SUCCEEDED)
