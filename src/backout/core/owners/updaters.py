"""Programs that set an image to its newest tag again: Keel (keel.sh/docs, "Policies")."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from backout.core.kubernetes import objects

if TYPE_CHECKING:
    from backout.core.kinds.kind import Kind
    from backout.core.model import Object

KEEL = "keel.sh/policy"
_POLLS = "keel.sh/trigger"


def keel_policy(workload: Object) -> str:
    """Return by which policy Keel updates it, empty where it does not."""
    policy = _told(workload, KEEL)
    return "" if policy == "never" else policy


def keel_polls(workload: Object) -> bool:
    """Tell whether Keel looks for a newer tag by itself, not only when one is pushed."""
    return _told(workload, _POLLS) == "poll"


def keel_off(workload: Object, kind: Kind) -> str:
    """Return the command that keeps Keel off; it reads labels as well as annotations."""
    verb = "label" if KEEL in objects.labels_of(workload) else "annotate"
    namespace = str(objects.dig(workload, "metadata", "namespace", default=""))
    words = [
        "kubectl",
        verb,
        f"{kind.short[0]}/{objects.name(workload)}",
        f"{KEEL}=never",
        "--overwrite",
    ]
    return shlex.join([*words, *(["-n", namespace] if namespace else [])])


def _told(workload: Object, key: str) -> str:
    found = objects.annotations_of(workload).get(key) or objects.labels_of(workload).get(key)
    return str(found or "").strip().lower()
