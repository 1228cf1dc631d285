"""The one place that decides what is suspected and what is final.

All time is one clock's: monotonic seconds of ours since the first sight, or two stamps of one
kubelet or controller (`Ground.told_for`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from backout.core.diagnosis.groups import IMAGE, LOG, NOWHERE, Found, Patience, Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from backout.core.diagnosis.causes import Cause
    from backout.core.diagnosis.groups import Around, Look

FINAL_EXITS = 4
"""Restarts in a row that ended in the same way, after which a crash loop is final, about 80 s.
Back-offs are 10, 20, 40 s and longer, and what a process waits for is often there in a minute."""
SECOND = 10.0
"""Seconds after which a same answer is a second opinion: a controller repeats itself after 5 ms."""
GAP = 5.0
"""Seconds without a trouble after which it counts from zero."""

Key: TypeAlias = tuple[str, str, str, str]


class Sight(Struct, frozen=True, kw_only=True):
    """One trouble as we saw it, in monotonic seconds: first, last, and its newest other answer."""

    first: float
    last: float
    answer: str
    answered: float


def key_of(cause: Cause) -> Key:
    """Return what tells one trouble from another."""
    return cause.uid, cause.code, cause.container, cause.ground.about


def seen(before: Mapping[Key, Sight], causes: Iterable[Cause], at: float) -> dict[Key, Sight]:
    """Return what is known after looking at `at`; what has not been seen for a while is left."""
    after = {k: s for k, s in before.items() if at - s.last <= GAP}
    for cause in causes:
        key, answer = key_of(cause), cause.ground.answer
        known = after.get(key)
        is_same = known is None or known.answer == answer
        after[key] = Sight(
            first=at if known is None else known.first,
            last=at,
            answer=answer,
            answered=known.answered if known is not None and is_same else at,
        )
    return after


class Judging(Struct, frozen=True, kw_only=True):
    """What a decision is made from, beside the cause: `at` in monotonic seconds.

    `looked` is what our own looks found just now; one that was not taken yet is not in it.
    """

    at: float
    sights: Mapping[Key, Sight] = field(default_factory=dict)
    looked: Mapping[Look, Found] = field(default_factory=dict)
    patience: Patience = field(default_factory=Patience)
    around: Around = NOWHERE


def decided(causes: Iterable[Cause], judging: Judging) -> list[Cause]:
    """Return the causes that are worth a word, each suspected or final, with what it waits for."""
    return [_decided(c, judging) for c in causes if _is_suspicious(c, judging)]


def lasted(cause: Cause, judging: Judging) -> float:
    """Return for how many seconds a trouble is known to have lasted."""
    sight = judging.sights.get(key_of(cause))
    ours = judging.at - sight.first if sight is not None else 0.0
    return max(ours, cause.ground.told_for.total_seconds())


def due(causes: Iterable[Cause], judging: Judging) -> set[Look]:
    """Return what is to be looked at now: it confirms a cause, or tells the one behind it."""
    return {
        c.ground.look
        for c in causes
        if c.ground.look is not None
        and not c.ground.awaits
        and (c.ground.look.kind in {IMAGE, LOG} or _left(c, judging) <= 0)
    }


def _is_suspicious(cause: Cause, judging: Judging) -> bool:
    return lasted(cause, judging) >= cause.ground.allowed.total_seconds()


def _decided(cause: Cause, judging: Judging) -> Cause:
    match cause.ground.row.rule:
        case Rule.AT_ONCE:
            return replace(cause, is_final=True)
        case Rule.AGAIN:
            return _in(cause, _until_again(cause, judging), "the next answer is another")
        case Rule.PATIENCE:
            return _patient(cause, judging)
        case Rule.PEERS:
            return _by_peers(cause, judging)
        case Rule.DEADLINE:
            return replace(cause, outlook=cause.ground.awaits)


def _in(cause: Cause, seconds: float, unless: str) -> Cause:
    """Return the cause as final, or with the seconds after which it is."""
    if seconds <= 0:
        return replace(cause, is_final=True)
    words = f"counts as failed in {seconds:.0f} s unless {unless}"
    return replace(cause, final_in=seconds, outlook=words)


def _until_again(cause: Cause, judging: Judging) -> float:
    """Return the seconds until a same answer is a second one; without any more, the patience."""
    sight = judging.sights.get(key_of(cause))
    apart = cause.ground.told_for.total_seconds()
    if sight is not None:
        apart = max(apart, sight.answered - sight.first)
    if apart >= SECOND:
        return 0.0
    return max(1.0, SECOND - lasted(cause, judging))


def _left(cause: Cause, judging: Judging) -> float:
    patience = judging.patience
    usual = patience.long if cause.ground.is_new else patience.usual
    whole = max(usual, cause.ground.final_after or usual)
    return whole.total_seconds() - lasted(cause, judging)


def _patient(cause: Cause, judging: Judging) -> Cause:
    ground = cause.ground
    if ground.awaits:
        return replace(cause, outlook=f"on its way: {ground.awaits}")
    found = judging.looked.get(ground.look) if ground.look is not None else Found.UNTOLD
    if found is Found.REFUTED:
        return replace(cause, outlook=f"{ground.look} is there by our own look")
    left = _left(cause, judging)
    is_told_twice = found is Found.CONFIRMED and ground.look is not None
    if is_told_twice and ground.look is not None and ground.look.kind == IMAGE:
        left = min(left, _until_again(cause, judging))
    return _in(cause, max(left, 1.0) if found is None else left, ground.unless)


def _by_peers(cause: Cause, judging: Judging) -> Cause:
    around, ground = judging.around, cause.ground
    if around.proven:
        return replace(cause, outlook="watched to the deadline: another Pod of it is Ready")
    if not around.peer:
        return replace(cause, outlook="watched to the deadline: it may only be slow")
    if ground.final_after is not None:
        if around.standby:
            words = "watched to the deadline: some Pods are never Ready here"
            return replace(cause, outlook=words)
        left = ground.final_after.total_seconds() - lasted(cause, judging)
        return _in(cause, left, "it becomes ready")
    if ground.exits >= FINAL_EXITS:
        return replace(cause, is_final=True)
    words = f"counts as failed after {FINAL_EXITS} such restarts, {max(0, ground.exits)} so far"
    return replace(cause, outlook=words)


def hastened(causes: Iterable[Cause], broken: frozenset[str]) -> tuple[Cause, ...]:
    """Return the causes with all that are suspected made final (`--fail-fast`).

    Not what only tells what is awaited, nor what concerns Pods that were `broken` before (by UID),
    but for one that holds the rollout up: that it was broken before is its nature.
    """
    return tuple(
        c
        if c.is_context or (c.uid in broken and c.code != "STUCK_POD")
        else replace(c, is_final=True, final_in=None)
        for c in causes
    )
