"""What counts as progress: a new best of a counter, as the controller sees it.

Kubernetes' own rule (DeploymentProgressing, pkg/controller/deployment/util) compares with the state
before; a Pod that comes and goes would count there each time. A change of `spec.replicas` is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from backout.core.kubernetes import objects

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backout.core.kinds.kind import Counters
    from backout.core.model import Object


class Best(Struct, frozen=True, kw_only=True):
    """The best that was reached: most updated, ready and available, fewest old replicas.

    `wanted` is spec.replicas as it was then; `is_observed`: the controller has seen the spec.
    """

    updated: int = 0
    ready: int = 0
    available: int = 0
    old: int = 2**31
    wanted: int = -1
    is_observed: bool = False


def by_pods(count: Counters, own: Iterable[Object]) -> Counters:
    """Return the counters with the new Pods as they are seen: some controllers count them late.

    `own` are the Pods of the template that should run. So each one that is replaced is progress.
    """
    return replace(count, updated=sum(map(objects.is_active, own)))


def bettered(best: Best, count: Counters, *, is_observed: bool) -> tuple[Best, bool]:
    """Return the best after this look, and whether it is progress over the one before.

    `is_observed`: the controller counts for the spec that is to be rolled out.
    """
    best = _scaled(best, count.wanted)
    if not is_observed:
        return best, False
    after = replace(
        best,
        is_observed=True,
        updated=max(best.updated, count.updated),
        ready=max(best.ready, count.ready),
        available=max(best.available, count.available),
        old=min(best.old, max(0, count.total - count.updated)),
    )
    return after, after != best


def _scaled(best: Best, wanted: int) -> Best:
    """Return the best as it would have been with so many replicas: scaling alone is no progress.

    That more Pods become Ready after it is.
    """
    more = 0 if best.wanted == -1 else wanted - best.wanted
    fewer = min(0, more)
    return replace(
        best,
        wanted=wanted,
        updated=max(0, best.updated + more),
        old=max(0, best.old + more) if best.old else 0,
        ready=max(0, best.ready + fewer),
        available=max(0, best.available + fewer),
    )
