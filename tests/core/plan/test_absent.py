from __future__ import annotations

from backout.core.kinds.replica_sets import EARLIER
from backout.core.ledger.records import Side
from backout.core.plan.absent import meant, no_such_revision, what_each_changes
from tests.core.values_made import lease, record, snapshot
from tests.objects.replica_sets import replica_set


def test_a_number_that_was_used_again_is_told_with_the_one_it_has_now() -> None:
    again = replica_set(4, "reg.example/app:v1", name="web-4", notes={EARLIER: "1"})
    seen = snapshot(stored=(again, replica_set(2), replica_set(3)))

    assert meant(seen, 1) == "what was revision 1 is revision 4 now"


def test_the_ledger_tells_it_where_the_history_does_not() -> None:
    hashes = {r.number: r.hash for r in snapshot().revisions}
    told = lease(record(destination=Side(revision=9, hash=hashes[2])))

    assert meant(snapshot(lease=told), 9) == "what was revision 9 is revision 2 now"


def test_otherwise_the_nearest_is_named_and_never_the_current_one() -> None:
    assert meant(snapshot(), 9) == "the nearest is revision 2"
    assert meant(snapshot(stored=()), 9) == ""
    assert "existing: 3, 2, 1" in no_such_revision(snapshot(), 9).message


def test_what_going_to_each_other_revision_would_change_is_told() -> None:
    assert what_each_changes(snapshot()) == (
        "revision 2 changes: image app:v3 -> app:v2. revision 1 changes: image app:v3 -> app:v1"
    )
