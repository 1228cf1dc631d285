"""Deployments: their counters, kubectl's words for them, and what holds their rollout back.

The words are kubectl's (pkg/polymorphichelpers/rollout_status.go).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.kinds import amounts, replica_sets
from backout.core.kinds.kind import Counters, Pace, Resource, Unmoving
from backout.core.kinds.ordinary import Ordinary
from backout.core.kubernetes import objects

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backout.core.kinds.kind import PodsSeen
    from backout.core.model import Object, Revision

NO_DEADLINE = 2**31 - 1
"""progressDeadlineSeconds that means none (kubernetes pkg/controller/deployment/util)."""
ONE_FIRST = '{"spec":{"strategy":{"rollingUpdate":{"maxSurge":0,"maxUnavailable":1}}}}'
RESUME = {"op": "replace", "path": "/spec/paused", "value": False}


class Deployment(Ordinary, frozen=True, kw_only=True):
    """Its history is its ReplicaSets, to which the controller copies the annotations."""

    resource: Resource = Resource(
        group="apps", version="v1", name="Deployment", plural="deployments"
    )
    short: tuple[str, ...] = ("deploy",)
    spoken: str = "deployment"
    stored: Resource = Resource(group="apps", version="v1", name="ReplicaSet", plural="replicasets")
    marks_history: bool = True
    makes_pods: bool = False
    is_per_node: bool = False
    watched_fields: tuple[str, ...] = ("paused", "strategy")

    def template_of(self, stored: Object) -> Object | None:
        """Return the ReplicaSet's template."""
        return replica_sets.template_of(stored)

    def revisions(
        self, workload: Object, stored: Iterable[Object], pods: Iterable[Object]
    ) -> tuple[Revision, ...]:
        """Return the history that the ReplicaSets tell."""
        return replica_sets.history(workload, stored, pods)

    def counters(self, workload: Object) -> Counters:
        """Return the counters; what stands at 0 is absent from a status."""
        status = objects.dig(workload, "status", default={})
        return Counters(
            wanted=objects.replicas(workload),
            updated=int(status.get("updatedReplicas") or 0),
            total=int(status.get("replicas") or 0),
            ready=int(status.get("readyReplicas") or 0),
            available=int(status.get("availableReplicas") or 0),
            unavailable=int(status.get("unavailableReplicas") or 0),
        )

    def waiting_for(self, workload: Object, seen: PodsSeen | None = None) -> str | None:  # noqa: ARG002
        """Return what is awaited by its counters; kubectl leaves the last two out."""
        now = self.counters(workload)
        start = f'Waiting for deployment "{objects.name(workload)}" rollout to finish: '
        if now.updated < now.wanted:
            return f"{start}{now.updated} out of {now.wanted} new replicas have been updated..."
        if now.total > now.updated:
            return f"{start}{now.total - now.updated} old replicas are pending termination..."
        if now.available < now.updated:
            return f"{start}{now.available} of {now.updated} updated replicas are available..."
        if now.updated > now.wanted:
            return f"{start}{now.updated - now.wanted} surplus replicas are pending termination..."
        if now.total < now.updated:
            return f"{start}{now.total} of {now.updated} updated replicas are counted..."
        return None

    def rolled_out(self, workload: Object) -> str:
        """Return the line that scripts look for."""
        return f'deployment "{objects.name(workload)}" successfully rolled out'

    def unmoving(self, workload: Object) -> Unmoving | None:
        """Return that it is paused."""
        if objects.dig(workload, "spec", "paused") is not True:
            return None
        namespace = objects.dig(workload, "metadata", "namespace", default="")
        named = f"deployment/{objects.name(workload)} -n {namespace}"
        return Unmoving(
            why="the Deployment is paused",
            until="it is resumed",
            remedy=f"let its newest template roll out: kubectl rollout resume {named}",
            lift=RESUME,
        )

    def idle(self, workload: Object) -> str:
        """Return that none is asked for."""
        return "" if objects.replicas(workload) else "replicas is 0"

    def pace(self, workload: Object) -> Pace:
        """Return the rolling update's counts of Pods; Recreate lets all go, and adds none.

        A share of Pods is rounded down for maxUnavailable and up for maxSurge; where both come to
        0, one Pod may be unavailable (ResolveFenceposts in kubernetes
        pkg/controller/deployment/util/deployment_util.go).
        """
        replicas = objects.replicas(workload)
        if objects.dig(workload, "spec", "strategy", "type") == "Recreate":
            return Pace(replicas=replicas, unavailable=replicas, surge=0, recreates=True)
        rolling = objects.dig(workload, "spec", "strategy", "rollingUpdate", default={})
        unavailable = amounts.of_pods(rolling.get("maxUnavailable", "25%"), replicas, up=False)
        surge = amounts.of_pods(rolling.get("maxSurge", "25%"), replicas, up=True)
        least = 1 if unavailable == 0 and surge == 0 else unavailable
        return Pace(replicas=replicas, unavailable=least, surge=surge, first=ONE_FIRST)

    def deadline(self, workload: Object) -> int | None:
        """Return progressDeadlineSeconds; 600 is the API's default."""
        seconds = int(objects.dig(workload, "spec", "progressDeadlineSeconds", default=600))
        return None if seconds >= NO_DEADLINE else seconds


DEPLOYMENT = Deployment()
