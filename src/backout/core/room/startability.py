"""Whether Pods of the target must be started, or enough of them run.

What only hinders a start blocks when Pods must be started; in the typical stuck rollout the old
Pods still run, and then it warns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backout.core.kinds.kind import Pace


def must_start(pace: Pace, *, ready: int) -> bool:
    """Tell whether the `ready` Pods of the target are fewer than must be available all the time.

    With replicas 0 nothing is started.
    """
    return pace.replicas > 0 and ready < max(1, pace.replicas - pace.unavailable)


def first_pods(pace: Pace, *, of_target: int, of_all: int) -> int:
    """Return how many Pods of the target a rolling update makes before an old one goes.

    `of_target` and `of_all` are the Pods that are there (NewRSNewReplicas in kubernetes
    pkg/controller/deployment/util/deployment_util.go).
    """
    room = pace.replicas + pace.surge - of_all
    return max(0, min(room, pace.replicas - of_target))
