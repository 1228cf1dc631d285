"""The annotation of client-side apply, rewritten in the same PATCH as the template."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from backout.core.heal.projection import project
from backout.core.kubernetes import objects
from backout.core.model import CHANGE_CAUSE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backout.core.model import Object

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
MOST = 256 * 1024
"""Bytes of the keys and values of all annotations together (TotalAnnotationSizeLimitB in
k8s.io/apimachinery pkg/api/validation/objectmeta.go)."""
_MARKER = 128
"""Bytes that the marker of the operation takes at most."""


class Rewritten(Struct, frozen=True, kw_only=True):
    """The annotation's new text. It holds what the template holds, secrets too: show it nowhere."""

    text: str


class LeftAlone(Struct, frozen=True, kw_only=True):
    """It stays as it is; `why` completes "it was left alone: "."""

    why: str


def rewritten(
    workload: Object, target: Object, *, change_cause: str = ""
) -> Rewritten | LeftAlone | None:
    """Return what the annotation of a workload becomes when its template becomes `target`.

    None where it has none. Everything in it outside the template stays as it was applied.
    `change_cause` is the annotation that the same PATCH sets.
    """
    notes = objects.annotations_of(workload)
    if LAST_APPLIED not in notes:
        return None
    manifest = manifest_of(workload)
    if manifest is None:
        return LeftAlone(why="it cannot be read")
    applied = template_in(manifest)
    if applied is None:
        return LeftAlone(why="it holds no Pod template")
    projected = project(target, workload["spec"]["template"], applied)
    made = {**manifest, "spec": {**manifest["spec"], "template": projected}}
    try:
        text = json.dumps(made, separators=(",", ":"), allow_nan=False) + "\n"
    except (ValueError, RecursionError):
        return LeftAlone(why="it cannot be written again")
    if not fits({**notes, CHANGE_CAUSE: change_cause, LAST_APPLIED: text}):
        return LeftAlone(why="the annotations would become too long for the API server")
    return Rewritten(text=text)


def applied_template(workload: Object) -> Object | None:
    """Return the template of the manifest that was applied last, None where it cannot be read."""
    manifest = manifest_of(workload)
    return None if manifest is None else template_in(manifest)


def manifest_of(workload: Object) -> Object | None:
    """Return the manifest that was applied last, None where it cannot be read."""
    try:
        found = json.loads(objects.annotations_of(workload).get(LAST_APPLIED, ""))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def template_in(manifest: Object) -> Object | None:
    """Return a manifest's Pod template, None where something else stands in its place."""
    found = objects.dig(manifest, "spec", "template")
    return found if isinstance(found, dict) else None


def fits(annotations: Mapping[str, Any]) -> bool:
    """Tell whether the API server takes so many annotations, and our marker beside them."""
    total = sum(len(str(t).encode(errors="replace")) for pair in annotations.items() for t in pair)
    return total + _MARKER <= MOST
