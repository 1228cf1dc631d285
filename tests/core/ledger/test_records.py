from __future__ import annotations

import hashlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from backout.core.kinds.deployment import DEPLOYMENT
from backout.core.kinds.target import Target
from backout.core.ledger import records
from backout.core.ledger.records import Ledger, State
from tests.core.values_made import TARGET, lease, record
from tests.objects.times import NOW, ago

LEGAL = {
    (State.INTENT, State.APPLIED),
    (State.INTENT, State.NOT_APPLIED),
    (State.INTENT, State.UNDECIDED),
    (State.APPLIED, State.SUCCEEDED),
    (State.APPLIED, State.FAILED),
    (State.APPLIED, State.UNDECIDED),
}


@pytest.mark.parametrize(("old", "new"), list(itertools.product(State, State)))
def test_a_record_moves_along_the_protocol_and_no_other_way(old: State, new: State) -> None:
    before = record(state=old)
    if (old, new) in LEGAL:
        after = records.moved(before, new, verdict="x")
        assert (after.state, after.verdict, after.op) == (new, "x", before.op)
        return
    with pytest.raises(ValueError, match="never"):
        records.moved(before, new)


def test_a_record_is_open_until_it_is_known_what_became_of_it() -> None:
    opened = {s for s in State if record(state=s).is_open}
    assert opened == {State.INTENT, State.APPLIED}


ages = st.lists(st.integers(0, 3), max_size=70)


@given(ages, st.sampled_from([0, 1, 2]))
def test_pruning_keeps_the_newest_fifty_and_everything_in_the_window(
    made: list[int], days: int
) -> None:
    older_first = sorted(made, reverse=True)
    whole = Ledger(rest={"memory": 1})
    for i, age in enumerate(older_first):
        new = record(f"op-{i}", intent_at=ago(days=age))
        whole = records.appended(whole, new, keep_after=ago(days=days))
    kept = {r.op for r in whole.records}
    expected = {
        f"op-{i}"
        for i, age in enumerate(older_first)
        if age <= days or i >= len(older_first) - records.KEPT
    }
    assert kept == expected
    assert whole.rest == {"memory": 1}
    assert [r.op for r in whole.records] == sorted(kept, key=lambda op: int(op[3:]))


def test_an_open_record_is_never_pruned_however_old() -> None:
    first = record("open", state=State.INTENT, intent_at=ago(days=99))
    whole = Ledger(records=(first, *(record(f"op-{i}", intent_at=ago(days=9)) for i in range(50))))
    pruned = records.appended(whole, record("new"), keep_after=ago(hours=1))
    assert pruned.records[0] == first
    assert len(pruned.records) == 51


def test_a_record_is_found_by_its_operation() -> None:
    whole = Ledger(records=(record("a"), record("b", state=State.APPLIED)))
    assert records.by_op(whole, "b") == whole.records[1]
    assert records.by_op(whole, "c") is None
    assert records.left_open(whole) == (whole.records[1],)


def test_what_was_never_applied_is_pruned_however_young() -> None:
    young = tuple(record(f"op-{i}", state=State.NOT_APPLIED, intent_at=NOW) for i in range(60))
    counted = record("counted", intent_at=ago(minutes=5))
    pruned = records.appended(
        Ledger(records=(counted, *young)), record("new"), keep_after=ago(hours=1)
    )
    assert pruned.records[0] == counted
    assert len(pruned.records) == 51


def test_the_leases_name_is_readable_unique_and_a_legal_name() -> None:
    digest = hashlib.sha256(b"apps/Deployment/web").hexdigest()[:10]
    assert records.lease_name(TARGET) == f"backout-web-{digest}"
    long = [Target(kind=DEPLOYMENT, namespace="n", name="a" * 39 + "." + x * 200) for x in "bc"]
    names = {records.lease_name(t) for t in long}
    assert len(names) == 2
    assert all(n.startswith("backout-" + "a" * 39 + "-") for n in names)
    sets = replace(DEPLOYMENT, resource=replace(DEPLOYMENT.resource, name="StatefulSet"))
    other_kind = Target(kind=sets, namespace="shop", name="web")
    assert records.lease_name(other_kind) != records.lease_name(TARGET)


def test_the_lock_is_free_held_or_expired_by_the_servers_time() -> None:
    assert records.lock(None).holder == ""
    spec = {
        "holderIdentity": "op-1",
        "leaseTransitions": 7,
        "acquireTime": "2026-03-01T11:59:00.000000Z",
        "renewTime": "2026-03-01T11:59:30.000000Z",
        "leaseDurationSeconds": 60,
    }
    held = records.lock(lease(spec=spec))
    assert (held.holder, held.epoch, held.acquired) == ("op-1", 7, ago(minutes=1))
    assert not held.is_expired(ago(seconds=-30))
    assert held.is_expired(ago(seconds=-31))
    assert records.lock(lease(spec={"holderIdentity": "op-1"})).is_expired(NOW)


HELD = {"holderIdentity": "a", "renewTime": "2026-03-01T12:00:00.000000Z"}
SPAN = {"leaseDurationSeconds": 60}


@pytest.mark.parametrize(
    ("state", "spec", "is_abandoned"),
    [
        (State.APPLIED, {}, True),
        (State.INTENT, {}, True),
        (State.APPLIED, HELD | SPAN, False),
        (State.APPLIED, HELD, True),
        (State.SUCCEEDED, {}, False),
        (State.SUCCEEDED, HELD, False),
    ],
    ids=["free", "intent", "held", "expired", "ended", "ended under an expired lock"],
)
def test_a_rollback_is_abandoned_where_it_is_open_and_nobody_is_at_it(
    state: State, spec: dict[str, object], *, is_abandoned: bool
) -> None:
    one, held = record("a", state=state), records.lock(lease(spec=spec))
    ended = record("b", state=State.FAILED)

    for whole in (Ledger(records=(one,)), Ledger(records=(one, ended))):
        assert records.is_abandoned(whole, held, ago(seconds=-1)) is is_abandoned
