"""Annotations of a Pod template that make new Pods and change nothing that runs in them.

`kubectl rollout restart` writes such a one, Helm charts carry checksums of what the template does
not hold: going back over it alone starts the same containers again.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from backout.core.kubernetes import objects, template

if TYPE_CHECKING:
    from backout.core.model import Object, Revision

_RESTART = re.compile(
    r"(last|forced?)?(restart|restarted|redeploy|redeployed|reloaded|deployed|rollme)"
    r"(at|on|by|from|time|timestamp|date|trigger|nonce)?|timestamp"
)
_SUMS = ("hash", "md5", "md5sum", "sha1", "sha256", "sha256sum")
_CAUSE = "kubernetes.io/change-cause"


def is_restart(key: str) -> bool:
    """Tell whether an annotation only restarts Pods, or carries a checksum or a note."""
    lower = key.lower()
    plain = re.sub(r"[-_.]", "", lower.rpartition("/")[2])
    return (
        "checksum" in lower
        or lower == _CAUSE
        or plain.endswith(_SUMS)
        or _RESTART.fullmatch(plain) is not None
    )


def without(pod_template: Object) -> dict[str, Any]:
    """Return the template without these annotations; nothing else is touched."""
    metadata = dict(pod_template.get("metadata") or {})
    notes = objects.annotations_of(pod_template)
    metadata["annotations"] = {k: v for k, v in notes.items() if not is_restart(k)}
    return {**pod_template, "metadata": metadata}


def digest(pod_template: Object) -> str:
    """Return the hash of what a template runs: equal where only these annotations differ."""
    return template.digest(without(pod_template))


def runs(revision: Revision) -> str:
    """Return the hash of what a revision runs; its own where it has no such annotation."""
    if any(map(is_restart, objects.annotations_of(revision.template))):
        return digest(revision.template)
    return revision.hash
