"""A cause: why something is not ready, by stable code, with its evidence and a remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.kubernetes import objects
from backout.core.value import dataclass

if TYPE_CHECKING:
    from backout.core.model import Object


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Why something is not ready.

    `code` is stable (docs/failures/), `uid` the object's it concerns, `subject` its name in words,
    `evidence` the cluster's own text (untrusted), `is_final` whether it lasts until somebody acts,
    `container` which one it is about, if one.
    """

    code: str
    uid: str
    subject: str
    message: str
    evidence: str
    remedy: str
    is_final: bool
    container: str = ""


REMEDIES = {
    "QUOTA": "raise the quota, or free what fills it",
    "ADMISSION": "the API server refuses the Pods: correct what its message names",
    "SCHEDULING_GATED": "see why the controller that owns the scheduling gate does not remove it",
    "UNSCHEDULABLE": "make room on the nodes, or correct the node selector or the tolerations",
    "VOLUME": "check the volume's ConfigMap, Secret or claim",
    "SANDBOX": "check the node's container runtime, its network plugin and the RuntimeClass",
    "IMAGE_NOT_FOUND": "push the image again, or go to a revision whose image is still there",
    "IMAGE_PLATFORM": "push the image for the node's platform, or go to a revision that has it",
    "IMAGE_AUTH": "check the Pod's imagePullSecrets and that the account may pull the image",
    "IMAGE_RATE_LIMIT": "wait, or let the nodes pull with an account or through a mirror",
    "IMAGE_PULL": "check that the nodes reach the registry",
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
    is_final: bool = False,
    container: str = "",
) -> Cause:
    """Return a cause that concerns a Pod, and a container of it where that is named."""
    remedy = REMEDIES[code].replace("POD", objects.name(pod)).replace("CONTAINER", container)
    return Cause(
        code=code,
        uid=objects.uid(pod),
        subject=f"Pod {objects.name(pod)}",
        message=message,
        evidence=evidence,
        remedy=remedy.replace(
            "NAMESPACE", str(objects.dig(pod, "metadata", "namespace", default=""))
        ),
        is_final=is_final,
        container=container,
    )
