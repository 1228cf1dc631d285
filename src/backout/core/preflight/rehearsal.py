"""A trial Pod of the target: when none may be made, how it is made, and what it showed.

Nothing selects it: it has none of the template's labels, so no Service sends it a request and no
controller, disruption budget or ReplicaSet counts it. It ends by itself: whoever made it may die.
"""

from __future__ import annotations

import json
import math
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from backout.core.history import barriers
from backout.core.kubernetes import objects
from backout.core.kubernetes.template import without_hash
from backout.core.ledger.records import OURS, lease_name
from backout.core.preflight.trial_labels import needs_labels

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from backout.core.kinds.kind import Pace
    from backout.core.kinds.target import Target
    from backout.core.model import Object, Revision

LABEL = "backout.dev/rehearsal"
"""The label with the operation that made it."""
OF = "backout.dev/rehearsal-of"
"""The label with the workload it is of, by the name of the workload's Lease."""
BY = "backout.dev/rehearsed-by"
"""The annotation with the process that made it: host, boot and pid, as JSON."""
GRACE = timedelta(seconds=30)
"""How long it may outlive its time, for whoever watches it to delete it."""
_ALONE = {"ReadWriteOnce", "ReadWriteOncePod"}
# With them it could push others' Pods off a node.
_NOT_TAKEN = {"priorityClassName", "priority", "preemptionPolicy"}


class Rehearsed(Struct, frozen=True, kw_only=True):
    """The trial Pod came up and held; `words` say what it showed."""

    words: str


class RehearsalFailed(Struct, frozen=True, kw_only=True):
    """The trial Pod did not come up, or answered badly."""

    why: str
    remedy: str = ""


class NotRehearsed(Struct, frozen=True, kw_only=True):
    """There was no trial, or it shows nothing: that is neither good nor bad.

    `is_refused`: it may not be made, so that what the user demanded cannot be had.
    """

    why: str
    remedy: str = ""
    is_refused: bool = False


Rehearsal = Rehearsed | RehearsalFailed | NotRehearsed


def unwelcome(pace: Pace, template: Object, claims: Mapping[str, Object]) -> str:
    """Return why a Pod beside the others would be unwelcome, empty where it is not.

    `claims` are the PersistentVolumeClaims that the template names, by name.
    """
    spec = objects.dig(template, "spec", default={})
    if pace.replicas == 0:
        return "replicas is 0: no Pod of it is to run"
    if pace.recreates:
        return "the strategy is Recreate: no two Pods of it may run beside each other"
    if pace.surge == 0:
        return "maxSurge is 0: no Pod beside the replicas is to run"
    if spec.get("hostNetwork"):
        return "its Pods use the host's network: a second one would take the same ports"
    ports = [p for c in objects.containers(template) for p in objects.dig(c, "ports", default=[])]
    if any(p.get("hostPort") for p in ports):
        return "its Pods take a port of the host: a second one would find it taken"
    unshared = (_unshared(v, claims) for v in spec.get("volumes") or [])
    return next(filter(None, unshared), "") or needs_labels(template)


def beyond(target: Revision, history: Sequence[Revision], wanted: Object) -> str:
    """Return which barrier stands before a target: a trial Pod of older code does harm, too.

    `history` is newest first, `wanted` the template that the workload asks for.
    """
    found = barriers.crossed(target, history, wanted)
    return f"it lies beyond a barrier: {'; '.join(map(str, found))}" if found else ""


def _unshared(volume: Object, claims: Mapping[str, Object]) -> str:
    name = str(objects.dig(volume, "persistentVolumeClaim", "claimName", default=""))
    if not name:
        return ""
    if name not in claims:
        return f"claim {name} could not be read: whether two Pods may mount it is not known"
    modes = set(objects.dig(claims[name], "spec", "accessModes", default=[]))
    return f"claim {name} is {min(modes & _ALONE)}: one Pod has it" if modes & _ALONE else ""


def trial_pod(
    target: Target, revision: Revision, *, op: str, by: Mapping[str, Any], seconds: float
) -> dict[str, Any]:
    """Return the trial Pod: the very template that the PATCH would set, images pinned or not.

    With its ServiceAccount, volumes and node rules. Its labels are ours alone, its priority is
    nobody's; it is ended after `seconds` and `GRACE`.
    """
    template = without_hash(revision.template)
    notes = objects.annotations_of(template)
    spec = {k: v for k, v in template["spec"].items() if k not in _NOT_TAKEN}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "generateName": f"{target.stem}-rehearsal-",
            "labels": {**OURS, LABEL: op, OF: lease_name(target)},
            "annotations": {**notes, BY: json.dumps(dict(by))},
        },
        "spec": {**spec, "activeDeadlineSeconds": math.ceil(seconds) + int(GRACE.total_seconds())},
    }


def of_workload(target: Target) -> str:
    """Return the label selector of all trial Pods of a workload, whoever made them."""
    return ",".join(f"{k}={v}" for k, v in {**OURS, OF: lease_name(target)}.items())


def of_operation(op: str) -> str:
    """Return the label selector of one run's trial Pods."""
    return ",".join(f"{k}={v}" for k, v in {**OURS, LABEL: op}.items())


def is_ours(pod: Object) -> bool:
    """Tell whether a Pod with our labels is really a trial: labels alone are easily set.

    Nothing owns one, it has a deadline, and it says which process made it.
    """
    has_deadline = objects.dig(pod, "spec", "activeDeadlineSeconds") is not None
    return (
        has_deadline and bool(made_by(pod)) and not objects.dig(pod, "metadata", "ownerReferences")
    )


def is_over(pod: Object, now: datetime) -> bool:
    """Tell whether a trial Pod has had its time, or has ended; `now` is the server's."""
    if objects.dig(pod, "status", "phase") in {"Failed", "Succeeded"}:
        return True
    created = objects.timestamp(objects.dig(pod, "metadata", "creationTimestamp"))
    seconds = objects.dig(pod, "spec", "activeDeadlineSeconds", default=0)
    # Any int64 may stand there, and be more than a timedelta holds.
    return created is None or (now - created - GRACE).total_seconds() > float(seconds)


def made_by(pod: Object) -> Mapping[str, Any]:
    """Return the process that made a trial Pod; empty where the annotation does not tell."""
    try:
        found = json.loads(objects.annotations_of(pod).get(BY, ""))
    except (ValueError, RecursionError):  # anybody who makes Pods may write it
        return {}
    return found if isinstance(found, dict) else {}
