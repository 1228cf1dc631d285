from __future__ import annotations

import pytest

from backout.core.errors import BackoutError
from backout.core.heal.hand_back import Owned
from backout.core.ledger.edits import closed, healed, unchanged
from backout.core.ledger.records import State
from backout.core.ledger.stage import (
    Answered,
    Applied,
    CutShort,
    Healed,
    Holding,
    Judged,
    MayHaveSent,
    MayHold,
    NotApplied,
    Planned,
    Stage,
    Stale,
    Stopped,
    Undecided,
    Why,
    Words,
    ended,
)
from backout.core.outcome import Outcome, Result
from tests.core.values_made import record
from tests.objects.deployments import deployment
from tests.objects.times import NOW

WORDS = Words(target="deployment/web", revision=2, resume="backout resume deployment/web -n shop")
STOPPED = Stopped(error=BackoutError("no answer", remedy="look at the network"))
INTERRUPTED = CutShort()
REFUSED = NotApplied(error=BackoutError("the webhook says no", remedy="ask its owner"))
LANDED_ACT = Applied(workload=None)
WELL = Judged(
    outcome=Outcome(result=Result.SUCCEEDED, message="rolled back"),
    edit=closed(State.SUCCEEDED, verdict="Complete"),
)
BACK = Healed(workload=deployment(), edit=healed)
UNCLEAR = "it is not known whether deployment/web was changed: "
LANDED = "deployment/web was set to revision 2; its rollout was not watched to the end"
RESUME = "backout resume deployment/web -n shop"

TABLE: list[tuple[Stage, Why, Result, str, str, str]] = [
    (Planned(), INTERRUPTED, Result.INTERRUPTED, "interrupted: nothing was changed", "", "none"),
    (Planned(), STOPPED, Result.NOT_CHANGED, "no answer; nothing was changed", "look at", "none"),
    (MayHold(), INTERRUPTED, Result.INTERRUPTED, "nothing was changed", "", "NOT_APPLIED"),
    (MayHold(), STOPPED, Result.NOT_CHANGED, "nothing was changed", "look at", "NOT_APPLIED"),
    (Holding(), INTERRUPTED, Result.INTERRUPTED, "nothing was changed", "", "NOT_APPLIED"),
    (Holding(), STOPPED, Result.NOT_CHANGED, "nothing was changed", "look at", "NOT_APPLIED"),
    (MayHaveSent(), INTERRUPTED, Result.INTERRUPTED, f"{UNCLEAR}interrupted", RESUME, "INTENT"),
    (MayHaveSent(), STOPPED, Result.UNDECIDED, f"{UNCLEAR}no answer", RESUME, "INTENT"),
    (
        Answered(act=Applied(workload=None)),
        INTERRUPTED,
        Result.INTERRUPTED,
        f"interrupted; {LANDED}",
        RESUME,
        "APPLIED",
    ),
    (
        Answered(act=Applied(workload=None)),
        STOPPED,
        Result.UNDECIDED,
        f"stopped: no answer; {LANDED}",
        RESUME,
        "APPLIED",
    ),
    (
        Answered(act=Stale(why="its template has changed")),
        INTERRUPTED,
        Result.INTERRUPTED,
        "nothing was changed",
        "",
        "NOT_APPLIED",
    ),
    (
        Answered(act=Stale(why="its template has changed")),
        STOPPED,
        Result.NOT_CHANGED,
        "nothing was changed",
        "look at",
        "NOT_APPLIED",
    ),
    (
        Answered(act=REFUSED),
        INTERRUPTED,
        Result.INTERRUPTED,
        "nothing was changed",
        "",
        "NOT_APPLIED",
    ),
    (
        Answered(act=REFUSED),
        STOPPED,
        Result.NOT_CHANGED,
        "the webhook says no; nothing was changed",
        "ask its owner",
        "NOT_APPLIED",
    ),
    (
        Answered(act=Undecided(why="no answer came", may_settle=True)),
        INTERRUPTED,
        Result.INTERRUPTED,
        f"{UNCLEAR}no answer came",
        RESUME,
        "INTENT",
    ),
    (
        Answered(act=Undecided(why="no answer came", may_settle=True)),
        STOPPED,
        Result.UNDECIDED,
        f"{UNCLEAR}no answer came",
        RESUME,
        "INTENT",
    ),
    (
        Answered(act=Undecided(why="somebody wrote", may_settle=False)),
        INTERRUPTED,
        Result.INTERRUPTED,
        f"{UNCLEAR}somebody wrote",
        RESUME,
        "UNDECIDED",
    ),
    (
        Answered(act=Undecided(why="somebody wrote", may_settle=False)),
        STOPPED,
        Result.UNDECIDED,
        f"{UNCLEAR}somebody wrote",
        RESUME,
        "UNDECIDED",
    ),
    (BACK, INTERRUPTED, Result.INTERRUPTED, f"interrupted; {LANDED}", RESUME, "APPLIED"),
    (BACK, STOPPED, Result.UNDECIDED, f"stopped: no answer; {LANDED}", RESUME, "APPLIED"),
    (
        WELL,
        INTERRUPTED,
        Result.INTERRUPTED,
        "interrupted after the verdict: rolled back",
        "",
        "SUCCEEDED",
    ),
    (WELL, STOPPED, Result.SUCCEEDED, "rolled back", "", "SUCCEEDED"),
]


@pytest.mark.parametrize(("stage", "why", "result", "message", "remedy", "state"), TABLE)
def test_whatever_ends_a_rollback_at_whatever_stage_the_last_word_and_the_record_are_true(
    stage: Stage, why: Why, result: Result, message: str, remedy: str, state: str
) -> None:
    found = ended(stage, why, WORDS)
    intent = record(state=State.INTENT)

    assert found.outcome.result is result
    assert message in found.outcome.whole
    assert remedy in found.outcome.remedy
    assert bool(remedy) == bool(found.outcome.remedy)
    assert (found.edit(intent, NOW).state if found.edit else "none") == state


def test_every_stage_meets_every_reason() -> None:
    stages = {type(row[0]) for row in TABLE}
    acts = {(type(r[0].act), type(r[1])) for r in TABLE if isinstance(r[0], Answered)}

    assert stages == set(Stage.__args__)
    assert len(acts) == 2 * 4
    assert {(type(r[0]), type(r[1])) for r in TABLE} == {
        (s, w) for s in stages for w in Why.__args__
    }


def test_what_is_needed_to_hand_fields_back_is_kept_until_they_are() -> None:
    one = Owned(manager="ci", operation="Apply", api_version="apps/v1", at="", fields={"f:a": {}})
    intent = record(state=State.INTENT, owners=(one,))
    before, after = (
        ended(stage, INTERRUPTED, WORDS).edit for stage in (Answered(act=LANDED_ACT), BACK)
    )
    assert before is not None
    assert after is not None

    assert (before(intent, NOW).owners, before(intent, NOW).is_healed) == ((one,), False)
    assert (after(intent, NOW).owners, after(intent, NOW).is_healed) == ((), True)


def test_a_record_that_is_left_open_tells_when_its_patch_landed() -> None:
    edit = ended(Answered(act=Applied(workload=None)), INTERRUPTED, WORDS).edit
    assert edit is not None

    open_record = edit(record(state=State.INTENT), NOW)

    assert (open_record.state, open_record.patched_at, open_record.closed_at) == (
        State.APPLIED,
        NOW,
        None,
    )
    assert edit(open_record, NOW) == open_record
    assert unchanged(open_record, NOW) is open_record
