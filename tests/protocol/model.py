"""The ledger protocol as a model that runs (docs/decisions/0003-ledger.md): every interleaving.

Two runners, PATCHes that arrive at any later time or whose answer is lost, crashes anywhere, a
lease that expires at any moment, reads of it that fail, the same command given again, and third
parties that write the status or put the bad manifest over the marker. `explore` visits every world
that can come about, nearest first, and stops at the first that an invariant forbids; the trace is
the shortest way there, in sentences.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from backout.core.ledger.records import State
from tests.protocol.steps import steps
from tests.protocol.world import Bounds, Rules, beginning

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.protocol.world import World

    Invariant = Callable[[World, World, Bounds], bool]


def never_more_applied_than_the_limit(_before: World, now: World, bounds: Bounds) -> bool:
    return len(now.workload.landed) <= bounds.limit


def never_more_counted_than_the_limit(_before: World, now: World, bounds: Bounds) -> bool:
    return now.lease.counted() <= bounds.limit


def what_is_not_applied_never_lands(_before: World, now: World, _bounds: Bounds) -> bool:
    """Hold for ever: a PATCH that lands after its record was closed is met in a later world."""
    return not any(
        r.state is State.NOT_APPLIED and r.op in now.workload.landed for r in now.lease.records
    )


def no_patch_without_an_earlier_intent(before: World, now: World, _bounds: Bounds) -> bool:
    written = {r.op for r in before.lease.records}
    return all(p.op in written for p in now.in_flight) and written.issuperset(now.workload.landed)


def what_is_closed_stays_closed(before: World, now: World, _bounds: Bounds) -> bool:
    """Hold for what became of a rollback; what it still owes may be made up for."""
    return all(
        old.is_open or old == new._replace(owes=old.owes)
        for old, new in zip(before.lease.records, now.lease.records, strict=False)
    )


def what_may_have_landed_is_counted(_before: World, now: World, _bounds: Bounds) -> bool:
    return len(now.workload.landed) <= now.lease.counted()


def never_further_back_than_one_step(_before: World, now: World, _bounds: Bounds) -> bool:
    """Hold for the same command, however often it is given: nobody named the step after that."""
    return now.workload.back <= 1


def what_is_not_handed_back_is_on_record(_before: World, now: World, _bounds: Bounds) -> bool:
    """Hold where somebody applies: else nobody could make up for it."""
    workload = now.workload
    record = now.lease.record(workload.marker)
    return not workload.owned or record is None or record.owes


def only_our_own_fields_are_handed_back(_before: World, now: World, _bounds: Bounds) -> bool:
    return not now.workload.robbed


INVARIANTS: tuple[Invariant, ...] = (
    never_more_applied_than_the_limit,
    never_more_counted_than_the_limit,
    what_is_not_applied_never_lands,
    no_patch_without_an_earlier_intent,
    what_is_closed_stays_closed,
    what_may_have_landed_is_counted,
    never_further_back_than_one_step,
)
HEALING: tuple[Invariant, ...] = (
    *INVARIANTS,
    what_is_not_handed_back_is_on_record,
    only_our_own_fields_are_handed_back,
)
"""Those of a workload that somebody applies server-side."""


class Explored(NamedTuple):
    """How many worlds were visited, which invariants the last step broke, and how it came to it."""

    worlds: int
    broken: tuple[Invariant, ...] = ()
    trace: tuple[str, ...] = ()

    @property
    def is_safe(self) -> bool:
        return not self.broken

    def __str__(self) -> str:
        if self.is_safe:
            return f"safe in each of {self.worlds} worlds"
        broken = ", ".join(i.__name__ for i in self.broken)
        return "\n".join([f"broken after {self.worlds} worlds: {broken}", *self.trace])


def explore(
    rules: Rules, bounds: Bounds, invariants: tuple[Invariant, ...] = INVARIANTS
) -> Explored:
    """Visit every world that can come about, until an invariant is broken."""
    first = beginning(bounds)
    came: dict[World, tuple[World, str] | None] = {first: None}
    ahead = deque([first])
    while ahead:
        world = ahead.popleft()
        for sentence, after in steps(world, rules, bounds):
            is_new = after not in came
            if is_new:
                came[after] = (world, sentence)
                ahead.append(after)
            if is_new or after.lease is not world.lease:
                broken = tuple(i for i in invariants if not i(world, after, bounds))
                if broken:
                    return Explored(len(came), broken, (*_way(came, world), sentence))
    return Explored(len(came))


def _way(came: dict[World, tuple[World, str] | None], world: World) -> tuple[str, ...]:
    sentences = []
    while (step := came[world]) is not None:
        world, sentence = step
        sentences.append(sentence)
    return tuple(reversed(sentences))
