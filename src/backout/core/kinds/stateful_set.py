"""StatefulSets: numbered Pods, replaced from the highest ordinal down, each waiting for the next.

The words are kubectl's (pkg/polymorphichelpers/rollout_status.go). Its `currentRevision` and
`updatedReplicas` are wrong at times (kubernetes#76748, #120731): what runs, its Pods' labels tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.kinds import controller_revisions, ordinals
from backout.core.kinds.kind import Counters, Pace, Resource, Unmoving
from backout.core.kinds.ordinary import Ordinary
from backout.core.kubernetes import objects

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backout.core.kinds.kind import PodsSeen, StuckPod
    from backout.core.model import Object, Revision


class StatefulSet(Ordinary, frozen=True, kw_only=True):
    """Its history is ControllerRevisions, whose names its Pods have in a label."""

    resource: Resource = Resource(
        group="apps", version="v1", name="StatefulSet", plural="statefulsets"
    )
    short: tuple[str, ...] = ("sts",)
    spoken: str = "statefulset"
    stored: Resource = controller_revisions.RESOURCE
    marks_history: bool = False
    makes_pods: bool = True
    is_per_node: bool = False
    watched_fields: tuple[str, ...] = ("updateStrategy", "podManagementPolicy", "ordinals")

    def template_of(self, stored: Object) -> Object | None:
        """Return the ControllerRevision's template."""
        return controller_revisions.template_of(stored)

    def revisions(
        self, workload: Object, stored: Iterable[Object], pods: Iterable[Object]
    ) -> tuple[Revision, ...]:
        """Return the history that the ControllerRevisions tell."""
        return controller_revisions.history(workload, stored, pods, objects.name)

    def counters(self, workload: Object) -> Counters:
        """Return the counters; Pods below the partition are not asked for by a new template."""
        status = objects.dig(workload, "status", default={})
        replicas, available = objects.replicas(workload), int(status.get("availableReplicas") or 0)
        return Counters(
            wanted=len(ordinals.reached(workload)),
            updated=int(status.get("updatedReplicas") or 0),
            total=int(status.get("replicas") or 0),
            ready=int(status.get("readyReplicas") or 0),
            available=available,
            unavailable=max(0, replicas - available),
        )

    def waiting_for(self, workload: Object, seen: PodsSeen | None = None) -> str | None:
        """Return what is awaited; which Pods are new is told by the Pods where they are seen."""
        now, replicas = self.counters(workload), objects.replicas(workload)
        if now.ready < replicas:
            return f"Waiting for {replicas - now.ready} pods to be ready..."
        updated = now.updated if seen is None else len(ordinals.updated(workload, seen.own))
        if updated < now.wanted:
            return self._updating(workload, updated, now.wanted)
        if now.available < replicas:
            return f"Waiting for {replicas - now.available} pods to be available..."
        return None

    def _updating(self, workload: Object, updated: int, wanted: int) -> str:
        if ordinals.is_on_delete(workload):
            return f"Waiting for pods to be deleted: {updated} out of {wanted} are new..."
        if ordinals.rolling(workload) is None:
            revision = objects.dig(workload, "status", "updateRevision", default="")
            return (
                f"waiting for statefulset rolling update to complete {updated} pods at revision "
                f"{revision}..."
            )
        return (
            f"Waiting for partitioned roll out to finish: {updated} out of {wanted} new pods have "
            "been updated..."
        )

    def rolled_out(self, workload: Object) -> str:
        """Return kubectl's word, which differs where rollingUpdate is not set at all."""
        now = self.counters(workload)
        count = max(now.updated, now.wanted)
        if ordinals.rolling(workload) is None:
            revision = objects.dig(workload, "status", "updateRevision", default="")
            return f"statefulset rolling update complete {count} pods at revision {revision}..."
        return f"partitioned roll out complete: {count} new pods have been updated..."

    def unmoving(self, workload: Object) -> Unmoving | None:
        """Return that it replaces only Pods that somebody deletes."""
        if not ordinals.is_on_delete(workload):
            return None
        return Unmoving(
            why="the StatefulSet's updateStrategy is OnDelete", until="its Pods are deleted by hand"
        )

    def unreached(self, workload: Object) -> str:
        """Return which ordinals are below the partition."""
        lowest = ordinals.start(workload)
        below = range(lowest, lowest + objects.replicas(workload) - len(ordinals.reached(workload)))
        if not below:
            return ""
        partition = ordinals.partition(workload)
        which = f"ordinal {below[0]}" if len(below) == 1 else f"ordinals {below[0]} to {below[-1]}"
        return f"spec.updateStrategy.rollingUpdate.partition is {partition}: {which}"

    def idle(self, workload: Object) -> str:
        """Return that none is asked for, or that the partition keeps all of them."""
        if objects.replicas(workload) == 0:
            return "replicas is 0"
        return "" if ordinals.reached(workload) else "the partition leaves every Pod as it is"

    def stuck(self, workload: Object, seen: PodsSeen) -> StuckPod | None:
        """Return the Pod that the order waits for (kubernetes#67250)."""
        return ordinals.stuck(workload, seen)

    def as_made(self, workload: Object, template: Object) -> Object:
        """Return it with a volume for each of its claims, as the first Pod has them."""
        return ordinals.with_claims(workload, template)

    def pace(self, workload: Object) -> Pace:
        """Return that one Pod goes before the next one comes, whatever the management policy.

        `maxUnavailable` counts where the API server keeps it: before 1.37 it drops it, unless its
        feature gate is on. Recreate lets all Pods go at once.
        """
        replicas, recreates = objects.replicas(workload), ordinals.recreates(workload)
        return Pace(
            replicas=replicas,
            unavailable=replicas if recreates else ordinals.unavailable(workload),
            surge=0,
            ordered=ordinals.is_ordered(workload),
            recreates=recreates,
        )


STATEFUL_SET = StatefulSet()
