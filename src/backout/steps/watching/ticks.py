"""How often a rollout is looked at where nothing is heard of it."""

from __future__ import annotations

from backout.core.diagnosis import finality

TICK, LONGEST_TICK = 1.0, finality.GAP - 1.0
"""Seconds after which a state that has not changed is judged again: some rules are about time.

A trouble that is not seen for `finality.GAP` would count from zero.
"""
LOOKS = 25.0
"""How many times as long as a look took the next tick is awaited: of thousands of Pods one takes
a tenth of a second and more, and who only waits leaves the machine to others.
"""
PODS_A_SECOND = 400
"""Pods that are diagnosed again within a second, at most, where nothing of them has changed."""


def tick_after(took: float) -> float:
    """Return after how many seconds to look again where nothing changes; `took` is of the CPU."""
    return min(LONGEST_TICK, max(TICK, LOOKS * took))


def fresh_for(pods: int) -> float:
    """Return the seconds for which what was found of so many Pods is good: a tick for hundreds."""
    return min(LONGEST_TICK, max(TICK, pods / PODS_A_SECOND))
