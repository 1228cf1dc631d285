"""The protocol is safe with all of its rules and with none of them left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from backout.core.ledger import records
from backout.core.ledger.records import State
from tests.protocol.model import (
    HEALING,
    explore,
    never_further_back_than_one_step,
    never_more_counted_than_the_limit,
    only_our_own_fields_are_handed_back,
    what_is_not_applied_never_lands,
    what_is_not_handed_back_is_on_record,
)
from tests.protocol.steps import STEPS
from tests.protocol.world import At, Bounds, Lease, Record, Rules

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.protocol.model import Explored
    from tests.protocol.world import World


def come_in_order(sentences: Iterable[str], trace: Iterable[str]) -> bool:
    """Tell whether the trace has these steps in this order, with any others in between."""
    ahead = iter(trace)
    return all(any(sentence == step for step in ahead) for sentence in sentences)


def without(rule: str) -> Explored:
    found = explore(Rules()._replace(**{rule: False}), Bounds(foreign=1))
    assert what_is_not_applied_never_lands in found.broken, found
    return found


@pytest.mark.parametrize(
    "foreign",
    [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.every_case)],
)
def test_the_whole_protocol_is_safe_however_the_steps_interleave(foreign: int) -> None:
    found = explore(Rules(), Bounds(foreign=foreign))

    assert found.is_safe, found
    assert found.worlds > [0, 20_000, 75_000, 200_000][foreign], "something is not explored"


@pytest.mark.every_case
@pytest.mark.parametrize(
    "bounds",
    [
        Bounds(limit=2, foreign=2),
        Bounds(retries=3, foreign=1),
        Bounds(operations=2, foreign=0),
        Bounds(limit=2, operations=2, retries=0, foreign=0),
        Bounds(limit=2, runs=2, retries=0, foreign=0),
        Bounds(failing=True, foreign=2),
    ],
    ids=str,
)
def test_more_room_makes_it_no_less_safe(bounds: Bounds) -> None:
    found = explore(Rules(), bounds)

    assert found.is_safe, found


@pytest.mark.slow
@pytest.mark.slow
@pytest.mark.parametrize("foreign", [1, pytest.param(2, marks=pytest.mark.every_case)])
def test_it_is_as_safe_where_annotations_move_no_generation(foreign: int) -> None:
    """A StatefulSet's marker may be wiped unseen, and stays when kubectl goes elsewhere."""
    found = explore(Rules(), Bounds(foreign=foreign, bare=True))

    assert found.is_safe, found
    assert found.worlds > explore(Rules(), Bounds(foreign=foreign)).worlds


def test_a_marker_that_was_wiped_alone_is_told_by_the_generation_that_the_template_moved() -> None:
    rules = Rules()._replace(generation=False)
    found = explore(rules, Bounds(foreign=1, bare=True), (what_is_not_applied_never_lands,))

    assert come_in_order(
        [
            "the PATCH of A lands, and its answer is lost",
            "somebody wipes the marker alone",
            "A fences the workload",
            "A finds no marker of A1",
            "A writes A1 NOT_APPLIED",
        ],
        found.trace,
    ), found


def test_without_the_order_a_run_that_was_succeeded_reads_a_version_behind_the_fence() -> None:
    found = without("order")

    assert come_in_order(
        [
            "A writes INTENT A1 (epoch 1)",
            "the PATCH of A meets 409",
            "A finds the Lease its own",
            "B takes the Lease over to settle A1 (epoch 2)",
            "B fences the workload",
            "A reads the workload again",
            "A sends the PATCH",
            "B finds no marker of A1",
            "the PATCH of A lands",
            "B writes A1 NOT_APPLIED",
        ],
        found.trace,
    ), found


def test_without_the_fence_a_patch_lands_that_was_looked_for_too_early() -> None:
    found = without("fence")

    assert come_in_order(
        [
            "A sends the PATCH",
            "A finds no marker of A1",
            "the PATCH of A lands, and nobody hears of it",
            "A writes A1 NOT_APPLIED",
        ],
        found.trace,
    ), found


def test_without_the_recheck_a_run_that_met_a_409_patches_again_behind_the_fence() -> None:
    found = without("recheck")

    assert come_in_order(
        [
            "A writes INTENT A1 (epoch 1)",
            "A sends the PATCH",
            "B takes the Lease over to settle A1 (epoch 2)",
            "B fences the workload",
            "the PATCH of A meets 409",
            "A reads the workload again",
            "A sends the PATCH",
            "B finds no marker of A1",
            "the PATCH of A lands",
            "B writes A1 NOT_APPLIED",
        ],
        found.trace,
    ), found
    again = found.trace[found.trace.index("the PATCH of A meets 409") :]
    assert "A finds the Lease its own" not in again


def test_without_the_generation_a_marker_that_was_wiped_was_never_there() -> None:
    found = without("generation")

    assert come_in_order(
        [
            "the PATCH of A lands, and its answer is lost",
            "somebody rewrites the workload and wipes the marker",
            "A fences the workload",
            "A finds no marker of A1",
            "A writes A1 NOT_APPLIED",
        ],
        found.trace,
    ), found


def test_a_patch_that_is_sent_again_takes_the_409_of_its_own_landing_for_a_no() -> None:
    found = without("once")

    assert come_in_order(
        [
            "the PATCH of A lands, and its answer is lost",
            "A sends the same PATCH again",
            "the PATCH of A meets 409",
            "A writes A1 NOT_APPLIED",
        ],
        found.trace,
    ), found


@pytest.mark.slow
def test_a_breaker_that_is_judged_by_an_older_failure_to_read_is_none() -> None:
    found = explore(Rules()._replace(judged=False), Bounds(failing=True))

    assert found.broken == (never_more_counted_than_the_limit,), found
    assert come_in_order(
        ["B cannot read the Lease", "A writes A1 SUCCEEDED", "B writes INTENT B1 (epoch 2)"],
        found.trace,
    ), found
    assert explore(Rules(), Bounds(failing=True, retries=0)).is_safe


def test_the_same_command_again_goes_further_back_unless_it_looks_where_it_is() -> None:
    twice = Bounds(limit=2, retries=0)
    found = explore(Rules()._replace(back=False), twice)

    assert found.broken == (never_further_back_than_one_step,), found
    assert come_in_order(
        ["the PATCH of A lands", "B reads the workload", "the PATCH of B lands"], found.trace
    ), found
    assert explore(Rules(), twice).is_safe


def test_a_rollback_that_was_left_open_is_gone_on_with() -> None:
    def gone_on_with(before: World, now: World, _bounds: Bounds) -> bool:
        was, now_is = before.lease.record("A1"), now.lease.record("A1")
        is_closed = was is not None and was.state is State.APPLIED and was != now_is
        return not (is_closed and before.lease.holder == "B1")

    found = explore(Rules(), Bounds(foreign=0), (gone_on_with,))

    assert come_in_order(
        ["B takes the Lease over to go on with A1 (epoch 2)", "B writes A1 SUCCEEDED"], found.trace
    ), found


@pytest.mark.slow
@pytest.mark.slow
@pytest.mark.parametrize("foreign", [0, 1, pytest.param(2, marks=pytest.mark.every_case)])
def test_the_second_write_is_safe_however_the_steps_interleave(foreign: int) -> None:
    found = explore(Rules(), Bounds(foreign=foreign, retries=0, heals=True), HEALING)
    bare = Bounds(foreign=min(foreign, 1), retries=0, heals=True, bare=True)

    assert found.is_safe, found
    assert explore(Rules(), bare, HEALING).is_safe
    assert found.worlds > [2_000, 20_000, 100_000][foreign], "something is not explored"


def test_without_a_look_at_the_marker_fields_of_somebody_elses_template_are_handed_over() -> None:
    found = explore(Rules()._replace(own=False), Bounds(heals=True), HEALING)

    assert found.broken == (only_our_own_fields_are_handed_back,), found
    assert come_in_order(
        [
            "the PATCH of A lands",
            "somebody rewrites the workload and wipes the marker",
            "A sends the second write",
            "the second write of A lands",
        ],
        found.trace,
    ), found


def test_what_is_not_kept_on_record_cannot_be_made_up_for() -> None:
    found = explore(Rules()._replace(kept=False), Bounds(heals=True), HEALING)

    assert found.broken == (what_is_not_handed_back_is_on_record,), found
    assert come_in_order(
        [
            "A sends the second write",
            "A waits no longer for the second write",
            "A finds the fields not handed back",
            "A writes A1 SUCCEEDED",
        ],
        found.trace,
    ), found


def test_what_a_run_that_died_did_not_hand_back_the_next_one_does() -> None:
    def never(before: World, now: World, _bounds: Bounds) -> bool:
        was, is_now = before.workload, now.workload
        is_healed = was.marker == "A1" and was.owned and not is_now.owned
        return not (is_healed and now.lease.holder == "B1")

    found = explore(Rules(), Bounds(foreign=0, heals=True), (never,))

    assert come_in_order(
        ["the PATCH of A lands", "B sends the second write", "the second write of A lands"],
        found.trace,
    ), found


def test_all_nine_rules_are_looked_at() -> None:
    every = ("order", "fence", "recheck", "generation", "once", "judged", "back", "own", "kept")
    assert Rules._fields == every
    assert set(STEPS) == set(At) - {At.GONE}


@pytest.mark.slow
@pytest.mark.parametrize("state", State)
def test_a_record_comes_to_every_state_but_one_that_the_watch_decides(state: State) -> None:
    def never(_before: World, now: World, _bounds: Bounds) -> bool:
        return all(r.state is not state for r in now.lease.records)

    assert explore(Rules(), Bounds(), (never,)).is_safe == (state is State.FAILED)


def test_what_a_successor_cannot_tell_is_undecided_and_the_breaker_counts_it() -> None:
    def never(before: World, now: World, _bounds: Bounds) -> bool:
        is_settled = any(r.state is State.UNDECIDED for r in now.lease.records)
        return not (is_settled and before.lease.holder == "B1" and not now.workload.landed)

    found = explore(Rules(), Bounds(), (never,))

    assert "somebody rewrites the workload and wipes the marker" in found.trace
    assert come_in_order(
        [
            "A writes INTENT A1 (epoch 1)",
            "B takes the Lease over to settle A1 (epoch 2)",
            "B fences the workload",
            "B finds no marker of A1, and another generation",
            "B writes A1 UNDECIDED",
        ],
        found.trace,
    ), found
    assert Lease(records=(Record("A1", State.UNDECIDED, 0),)).counted() == 1


def test_after_a_run_that_died_before_it_sent_anything_the_next_one_rolls_back() -> None:
    def never(_before: World, now: World, _bounds: Bounds) -> bool:
        return [r.state for r in now.lease.records] != [State.NOT_APPLIED, State.SUCCEEDED]

    found = explore(Rules(), Bounds(foreign=0), (never,))

    assert "B writes A1 NOT_APPLIED" in found.trace or "A writes A1 NOT_APPLIED" in found.trace
    assert found.trace[-1] == "B writes B1 SUCCEEDED", found


def test_the_model_moves_records_only_as_the_real_ledger_does() -> None:
    def only_as_the_real_one(before: World, now: World, _bounds: Bounds) -> bool:
        return all(
            old == new or new.state in records._NEXT.get(old.state, set())
            for old, new in zip(before.lease.records, now.lease.records, strict=False)
        )

    assert explore(Rules(), Bounds(), (only_as_the_real_one,)).is_safe
