"""What counts as progress: a new best of a counter, as the controller sees it.

Kubernetes' own rule (DeploymentProgressing, pkg/controller/deployment/util) compares with the state
before; a Pod that comes and goes would count there each time. A change of `spec.replicas` is none.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from backout.core.kubernetes import objects
from backout.core.value import dataclass

if TYPE_CHECKING:
    from backout.core.model import Object


@dataclass(frozen=True, kw_only=True)
class Best:
    """The best that was reached: most updated, ready and available, fewest old replicas.

    `wanted` is spec.replicas as it was then; `is_observed`: the controller has seen the spec.
    """

    updated: int = 0
    ready: int = 0
    available: int = 0
    old: int = 2**31
    wanted: int = -1
    is_observed: bool = False


def bettered(best: Best, workload: Object, generation: int) -> tuple[Best, bool]:
    """Return the best after this look, and whether it is progress over the one before.

    `generation` is the one that is to be observed.
    """
    best = _scaled(best, objects.replicas(workload))
    if objects.observed_generation(workload) < generation:
        return best, False
    status = objects.dig(workload, "status", default={})
    updated = int(status.get("updatedReplicas") or 0)
    after = replace(
        best,
        is_observed=True,
        updated=max(best.updated, updated),
        ready=max(best.ready, int(status.get("readyReplicas") or 0)),
        available=max(best.available, int(status.get("availableReplicas") or 0)),
        old=min(best.old, max(0, int(status.get("replicas") or 0) - updated)),
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
