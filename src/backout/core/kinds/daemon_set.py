"""DaemonSets: one Pod a node that it is for.

The words are kubectl's (pkg/polymorphichelpers/rollout_status.go). Of each node its counters tell
the oldest Pod only, so that a bad one beside it is in none of them (measured on 1.34.4): what runs,
the Pods' labels tell. A node that does not answer is one that nothing can be rolled out to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.kinds import amounts, controller_revisions
from backout.core.kinds.kind import Counters, Pace, Resource, Unmoving
from backout.core.kinds.ordinary import Ordinary
from backout.core.kubernetes import objects
from backout.core.kubernetes.labels import REVISION_HASH

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backout.core.kinds.kind import PodsSeen
    from backout.core.model import Object, Revision

ONE_FIRST = '{"spec":{"updateStrategy":{"rollingUpdate":{"maxSurge":0,"maxUnavailable":1}}}}'
_HOST_NETWORK = "node.kubernetes.io/network-unavailable"
_TOLERATED = (
    *(
        ("node.kubernetes.io/not-ready", "NoExecute"),
        ("node.kubernetes.io/unreachable", "NoExecute"),
    ),
    *(
        (f"node.kubernetes.io/{what}", "NoSchedule")
        for what in ("disk-pressure", "memory-pressure", "pid-pressure", "unschedulable")
    ),
)
"""The taints that its controller lets its Pods tolerate, with their effects.

Source: AddOrUpdateDaemonPodTolerations, kubernetes pkg/controller/daemon/util/daemonset_util.go.
"""


class DaemonSet(Ordinary, frozen=True, kw_only=True):
    """Its history is ControllerRevisions, whose hashes its Pods have in a label."""

    resource: Resource = Resource(group="apps", version="v1", name="DaemonSet", plural="daemonsets")
    short: tuple[str, ...] = ("ds",)
    spoken: str = "daemon set"
    stored: Resource = controller_revisions.RESOURCE
    marks_history: bool = False
    makes_pods: bool = True
    is_per_node: bool = True
    watched_fields: tuple[str, ...] = ("updateStrategy",)

    def template_of(self, stored: Object) -> Object | None:
        """Return the ControllerRevision's template."""
        return controller_revisions.template_of(stored)

    def revisions(
        self, workload: Object, stored: Iterable[Object], pods: Iterable[Object]
    ) -> tuple[Revision, ...]:
        """Return the history that the ControllerRevisions tell."""
        return controller_revisions.history(workload, stored, pods, _label)

    def counters(self, workload: Object) -> Counters:
        """Return the counters; what stands at 0 is absent from a status."""
        status = objects.dig(workload, "status", default={})
        return Counters(
            wanted=int(status.get("desiredNumberScheduled") or 0),
            updated=int(status.get("updatedNumberScheduled") or 0),
            total=int(status.get("currentNumberScheduled") or 0),
            ready=int(status.get("numberReady") or 0),
            available=int(status.get("numberAvailable") or 0),
            unavailable=int(status.get("numberUnavailable") or 0),
        )

    def waiting_for(self, workload: Object, seen: PodsSeen | None = None) -> str | None:
        """Return what is awaited on the nodes that answer: Pods and counters have to agree."""
        now = self.counters(workload)
        updated, available, wanted = now.updated, now.available, now.wanted
        if seen is not None:
            new, ready = _on_nodes(workload, seen)
            wanted -= len(seen.lost)
            # A node that is lost counts as one that is not available: its counters tell nothing.
            updated = new if seen.lost else min(new, updated)
            available = ready if seen.lost else min(ready, available)
        start = f'Waiting for daemon set "{objects.name(workload)}" rollout to finish: '
        if updated < wanted:
            return f"{start}{updated} out of {wanted} new pods have been updated..."
        if available < wanted:
            return f"{start}{available} of {wanted} updated pods are available..."
        return None

    def rolled_out(self, workload: Object) -> str:
        """Return the line that scripts look for."""
        return f'daemon set "{objects.name(workload)}" successfully rolled out'

    def unmoving(self, workload: Object) -> Unmoving | None:
        """Return that it replaces only Pods that somebody deletes."""
        if objects.dig(workload, "spec", "updateStrategy", "type") != "OnDelete":
            return None
        return Unmoving(
            why="the DaemonSet's updateStrategy is OnDelete", until="its Pods are deleted by hand"
        )

    def idle(self, workload: Object) -> str:
        """Return that no node is to run it; one that its controller has not counted may be."""
        is_counted = objects.is_observed(workload) and "status" in workload
        none = is_counted and self.counters(workload).wanted == 0
        return "no node is to run it (desiredNumberScheduled is 0)" if none else ""

    def as_made(self, workload: Object, template: Object) -> Object:  # noqa: ARG002
        """Return it with the tolerations that its controller adds."""
        spec = template["spec"]
        taints = [*_TOLERATED]
        if spec.get("hostNetwork"):
            taints.append((_HOST_NETWORK, "NoSchedule"))
        own = [{"key": key, "operator": "Exists", "effect": effect} for key, effect in taints]
        return {
            **template,
            "spec": {**spec, "tolerations": [*(spec.get("tolerations") or ()), *own]},
        }

    def pace(self, workload: Object) -> Pace:
        """Return the rolling update's counts; shares are rounded up, both of them.

        How many nodes another template is for is not known before it is set: one at least.
        """
        wanted = max(1, self.counters(workload).wanted)
        rolling = objects.dig(workload, "spec", "updateStrategy", "rollingUpdate", default={})
        return Pace(
            replicas=wanted,
            unavailable=amounts.of_pods(rolling.get("maxUnavailable", 1), wanted, up=True),
            surge=amounts.of_pods(rolling.get("maxSurge", 0), wanted, up=True),
            first=ONE_FIRST,
        )


def _label(stored: Object) -> str:
    """Return the hash that its Pods are labelled with: its own label has it, or its name's end."""
    named = objects.labels_of(stored).get(REVISION_HASH)
    return named or objects.name(stored).rpartition("-")[2]


def _on_nodes(workload: Object, seen: PodsSeen) -> tuple[int, int]:
    """Return how many nodes that answer have only new Pods, and how many have them available."""
    seconds = int(objects.dig(workload, "spec", "minReadySeconds", default=0))
    uid = objects.uid(workload)
    old = {
        objects.node_of(p)
        for p in seen.others
        if objects.is_active(p) and objects.is_controlled_by(p, uid)
    }
    new = [
        p for p in seen.own if objects.is_active(p) and objects.node_of(p) not in seen.lost | old
    ]
    nodes = {objects.node_of(p) for p in new}
    available = {objects.node_of(p) for p in new if objects.is_available(p, seconds, seen.now)}
    return len(nodes), len(available)


DAEMON_SET = DaemonSet()
