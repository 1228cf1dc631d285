"""What a pull error says: gone, for another platform, denied, or something that may pass.

The texts are the kubelet's and the container runtime's (docs/failures/, measured); they quote the
image's own name, which may hold any word, so quoted parts are not looked at.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from backout.core.diagnosis import causes
from backout.core.diagnosis.groups import IMAGE, Look
from backout.core.kubernetes import events as told

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from backout.core.diagnosis.causes import Cause
    from backout.core.model import Object

_QUOTED = re.compile(r'"[^"]*"')
_DENIED = re.compile(
    r"\b40[13] (?:Unauthorized|Forbidden)|\bunauthorized\b|access denied|access forbidden|"
    r"insufficient_scope|authentication required|authorization failed",
    re.IGNORECASE,
)
_NOT_FOUND = re.compile(
    r"manifest unknown|name unknown|manifest for \S* ?not found|"
    r"failed to resolve reference\s*:\s*(?:\S*?:)?\s*not found|^\s*\S*:\s*not found\s*$",
    re.IGNORECASE,
)
"""A registry's answer about the manifest, and no other text that ends in `not found`."""
_LAYER = re.compile(r"blobs/sha256:\S* not found|blob unknown", re.IGNORECASE)
_ON_THE_NODE = re.compile(r"content digest \S+ not found|snapshot \S* ?does not exist|content size")
_HTML = re.compile(r"text/html")
_INVALID = re.compile(r"invalid reference format|couldn't parse image", re.IGNORECASE)
_PLATFORM = re.compile(
    r"no match for platform|no matching manifest for|no image found in [a-z ]+ for architecture"
)
"""containerd's text (measured: it ends in `not found`), Docker's, and that of containers/image."""
_LIMITED = re.compile(r"toomanyrequests|too many requests|pull rate limit", re.IGNORECASE)
_BACK_OFF = re.compile(r'^Back-off pulling image "[^"]*"(?:: )?')
_REASON = re.compile(r"^ErrImagePull: ")


def pull_error(
    pod: Object, image: str, text: str, events: Sequence[Object], since: datetime | None = None
) -> Cause:
    """Return the cause that a waiting container's pull error is.

    Kubelets before 1.32 lose the first error after the back-off: the Pod's event still has it.
    """
    failed = _failures(image, events)
    said = _REASON.sub("", _BACK_OFF.sub("", text)) or _first_error(image, failed)
    plain = _QUOTED.sub("", said).replace(image, "")
    last = told.last_seen(failed[-1]) if failed else None
    ground: dict[str, Any] = {
        "about": image,
        "told_for": told.told_for(failed, since),
        "answer": str(last),
    }
    code, words = _meaning(pod, image, plain)
    if code in {"IMAGE_NOT_FOUND", "IMAGE_AUTH"} and not _LAYER.search(plain):
        ground |= {"look": Look(kind=IMAGE, name=image), "unless": "the registry has it"}
    if code == "IMAGE_PULL" and not words:
        words = f"image {image} cannot be pulled: " + (
            said or "the kubelet backs off, its first error is lost"
        )
    return causes.of_pod(code, pod, words, said or text, **ground)


def _meaning(pod: Object, image: str, plain: str) -> tuple[str, str]:
    """Return the class, and the words where they are not those of the error itself."""
    node = str((pod.get("spec") or {}).get("nodeName") or "the node")
    if _LIMITED.search(plain):
        return "IMAGE_RATE_LIMIT", f"the registry limits how often {image} is pulled"
    if _INVALID.search(plain):
        return "IMAGE_INVALID", f"the image's name {image} does not parse"
    if _HTML.search(plain):
        words = f"image {image} cannot be pulled: something answers HTML in the registry's place"
        return "IMAGE_PULL", words
    if _DENIED.search(plain):
        return "IMAGE_AUTH", f"the registry does not let the node pull {image}"
    if _PLATFORM.search(plain):
        words = f"image {image} is there, and not for the platform of the Pod's node"
        return "IMAGE_PLATFORM", words
    if _LAYER.search(plain):
        return "IMAGE_NOT_FOUND", f"a layer of image {image} is missing in the registry"
    if _ON_THE_NODE.search(plain):
        words = f"image {image} cannot be pulled: {node} has lost a part of it: {plain.strip()}"
        return "IMAGE_PULL", words
    if _NOT_FOUND.search(plain):
        words = f"image {image} is gone from the registry, or never was there"
        return "IMAGE_NOT_FOUND", words
    return "IMAGE_PULL", ""


def _failures(image: str, events: Sequence[Object]) -> list[Object]:
    start = f'Failed to pull image "{image}": '
    return [
        e
        for e in events
        if e.get("reason") == "Failed" and str(e.get("message", "")).startswith(start)
    ]


def _first_error(image: str, failed: Sequence[Object]) -> str:
    start = f'Failed to pull image "{image}": '
    return str(failed[-1].get("message", "")).removeprefix(start) if failed else ""
