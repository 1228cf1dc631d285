"""What a pull error says: gone, for another platform, denied, or something that may pass.

The texts are the kubelet's and the container runtime's (reference failures.md, measured); they
quote the image's own name, which may hold any word, so quoted parts are not looked at.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from backout.core.diagnosis import causes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backout.core.diagnosis.causes import Cause
    from backout.core.model import Object

_QUOTED = re.compile(r'"[^"]*"')
_DENIED = re.compile(
    r"\b40[13] (?:Unauthorized|Forbidden)|\bunauthorized\b|access denied|access forbidden|"
    r"insufficient_scope|authentication required|authorization failed",
    re.IGNORECASE,
)
_NOT_FOUND = re.compile(r"\bnot found\b|manifest unknown|code = NotFound", re.IGNORECASE)
_PLATFORM = re.compile(
    r"no match for platform|no matching manifest for|no image found in [a-z ]+ for architecture"
)
"""containerd's text (measured: it ends in `not found`), Docker's, and that of containers/image."""
_LIMITED = re.compile(r"toomanyrequests|too many requests|pull rate limit", re.IGNORECASE)
_BACK_OFF = re.compile(r'^Back-off pulling image "[^"]*"(?:: )?')
_REASON = re.compile(r"^ErrImagePull: ")


def pull_error(pod: Object, image: str, text: str, events: Sequence[Object]) -> Cause:
    """Return the cause that a waiting container's pull error is.

    Kubelets before 1.32 lose the first error after the back-off: the Pod's event still has it.
    """
    told = _REASON.sub("", _BACK_OFF.sub("", text)) or _first_error(image, events)
    plain = _QUOTED.sub("", told).replace(image, "")
    if _LIMITED.search(plain):
        message = f"the registry limits how often {image} is pulled"
        return causes.of_pod("IMAGE_RATE_LIMIT", pod, message, told)
    if _DENIED.search(plain):
        message = f"the registry does not let the node pull {image}"
        return causes.of_pod("IMAGE_AUTH", pod, message, told, is_final=True)
    if _PLATFORM.search(plain):
        message = f"image {image} is there, and not for the platform of the Pod's node"
        return causes.of_pod("IMAGE_PLATFORM", pod, message, told, is_final=True)
    if _NOT_FOUND.search(plain):
        message = f"image {image} is gone from the registry, or never was there"
        return causes.of_pod("IMAGE_NOT_FOUND", pod, message, told, is_final=True)
    why = told or "the kubelet backs off, its first error is lost"
    return causes.of_pod("IMAGE_PULL", pod, f"image {image} cannot be pulled: {why}", told or text)


def _first_error(image: str, events: Sequence[Object]) -> str:
    start = f'Failed to pull image "{image}": '
    texts = [str(e.get("message", "")) for e in events if e.get("reason") == "Failed"]
    return next((t.removeprefix(start) for t in reversed(texts) if t.startswith(start)), "")
