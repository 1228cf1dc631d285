"""A cause: why something is not ready, by stable code, with its evidence and a remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from backout.core.diagnosis.groups import Ground, Rule, row
from backout.core.kubernetes import objects

if TYPE_CHECKING:
    from backout.core.model import Object


class Cause(Struct, frozen=True, kw_only=True):
    """Why something is not ready.

    `code` is stable (docs/failures/), `uid` the object's it concerns, `subject` its name in words,
    `evidence` the cluster's own text (untrusted), `container` which one it is about, if one.
    `ground` is what it rests on. What `finality` decided of it: `is_final` whether it lasts until
    somebody acts, `final_in` in how many seconds it will be where that is known, `outlook` what
    keeps it from being final, in words. `is_context`: it tells what is awaited, and is no trouble.
    `is_ours_to_end`: `--replace-stuck-pods` would end it.
    """

    code: str
    uid: str
    subject: str
    message: str
    evidence: str
    remedy: str
    ground: Ground
    container: str = ""
    is_final: bool = False
    final_in: float | None = None
    outlook: str = ""
    is_context: bool = False
    is_ours_to_end: bool = False


REMEDIES = {
    "STUCK_POD": "delete the Pod: kubectl delete pod POD -n NAMESPACE",
    "QUOTA": "raise the quota, or free what fills it",
    "ADMISSION": "correct what the API server's message names",
    "SCHEDULING_GATED": "see why the controller that owns the scheduling gate does not remove it",
    "UNSCHEDULABLE": "make room on the nodes, or correct the node selector or the tolerations",
    "VOLUME": "check the volume's ConfigMap, Secret or claim",
    "SANDBOX": "check the node's container runtime, its network plugin and the RuntimeClass",
    "IMAGE_NOT_FOUND": "push the image again, or go to a revision whose image is still there",
    "IMAGE_PLATFORM": "push the image for the node's platform, or go to a revision that has it",
    "IMAGE_AUTH": "check the Pod's imagePullSecrets and that the account may pull the image",
    "IMAGE_RATE_LIMIT": "wait, or let the nodes pull with an account or through a mirror",
    "IMAGE_PULL": "check that the nodes reach the registry",
    "IMAGE_PULLING": "see how fast the node pulls: kubectl describe pod POD -n NAMESPACE",
    "IMAGE_NEVER_PULL": "load the image on the nodes, or change imagePullPolicy",
    "IMAGE_INVALID": "correct the image's name, or go to a revision whose image is right",
    "CONFIG_MISSING": "create the ConfigMap or Secret with the key that the container names",
    "CONTAINER_START": "check the container's command, hooks and security context",
    "CRASH_LOOP": "read its last run: kubectl logs POD -n NAMESPACE -c CONTAINER --previous",
    "OOM_KILLED": "raise the memory limit, or go to a revision that fits in it",
    "INIT_FAILED": "read its last run: kubectl logs POD -n NAMESPACE -c CONTAINER --previous",
    "PROBE_READINESS": "compare the probe's path and port with what the application serves",
    "PROBE_LIVENESS": "compare the probe's path, port and time-out with what the application does",
    "READINESS_GATE": "see why the controller that owns the readiness gate does not set it",
    "EVICTED": "see what the Pod used up: its limits, or the node's disk and memory",
    "POD_FAILED": "see why the kubelet ended it: kubectl describe pod POD -n NAMESPACE",
    "NODE_LOST": "see why the node does not answer; its Pods come up elsewhere when it is given up",
    "TERMINATING": "see who owns the finalizer, or wait for the Pod's grace period",
    "NOT_READY": "see what the Pod waits for: kubectl describe pod POD -n NAMESPACE",
}
"""Every code with its remedy, in the order in which things go wrong in a Pod's life.

POD, NAMESPACE and CONTAINER are filled in, so that a line can be pasted.
"""

RANK = {code: place for place, code in enumerate(REMEDIES)}
"""The lower, the nearer to the root."""


def of_pod(
    code: str,
    pod: Object,
    message: str,
    evidence: str,
    *,
    rule: Rule | None = None,
    container: str = "",
    **ground: Any,
) -> Cause:
    """Return a cause that concerns a Pod, and a container of it where that is named.

    `rule` picks the row of the table where it is not the class's usual one; `ground` is the rest of
    what it rests on, as in Ground.
    """
    filled = {
        "POD": objects.name(pod),
        "CONTAINER": container,
        "NAMESPACE": str(objects.dig(pod, "metadata", "namespace", default="")),
    }
    remedy = REMEDIES[code]
    for word, value in filled.items():
        remedy = remedy.replace(word, value)
    return Cause(
        code=code,
        uid=objects.uid(pod),
        subject=f"Pod {objects.name(pod)}",
        message=message,
        evidence=evidence,
        remedy=remedy,
        ground=Ground(row=row(code, rule), **ground),
        container=container,
    )


def of_workload(
    code: str,
    workload: Object,
    subject: str,
    message: str,
    evidence: str,
    *,
    rule: Rule | None = None,
    **ground: Any,
) -> Cause:
    """Return a cause that concerns the whole workload, told of `subject`."""
    made = of_pod(code, workload, message, evidence, rule=rule, **ground)
    return replace(made, subject=subject, remedy=REMEDIES[code])
