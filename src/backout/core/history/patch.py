"""The one JSON Patch that undoes a rollout (docs/decisions/0003-ledger.md, step 5).

Preconditions are `replace` operations on uid and resourceVersion with the values read: a stale
resourceVersion answers 409, another uid 422 naming metadata.uid; a `test` operation would answer a
generic 422 and hide both (docs/facts/api-server.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backout.core.heal.last_applied import LAST_APPLIED, Rewritten, rewritten
from backout.core.kubernetes import objects
from backout.core.kubernetes.template import without_hash
from backout.core.model import CHANGE_CAUSE, Object, Patch

if TYPE_CHECKING:
    from backout.core.kinds.kind import Unmoving

MARKER = "backout.dev/operation"
FENCE = "backout.dev/fence"


def undo(
    workload: Object,
    template: Object,
    *,
    operation: str,
    change_cause: str,
    still: Unmoving | None = None,
    heals: bool = False,
) -> Patch:
    """Return the patch that gives `workload` (as just read) this template.

    Sets the marker, and the target's change-cause (or removes it: the controller would copy the
    bad rollout's cause to the good revision). With `heals` the manifest that client-side apply
    keeps is rolled back, too. Touches no other annotation and never the replicas.
    `still` is what holds the rollout back and is to end in the same write. An empty `operation`
    sets no marker: the patch is somebody else's then, and no record may take it for its own.
    """
    metadata = workload["metadata"]
    ops: list[dict[str, Any]] = [
        {"op": "replace", "path": "/metadata/uid", "value": metadata["uid"]},
        {
            "op": "replace",
            "path": "/metadata/resourceVersion",
            "value": metadata["resourceVersion"],
        },
        {"op": "replace", "path": "/spec/template", "value": without_hash(template)},
        *_annotation_ops(workload, operation=operation, change_cause=change_cause),
    ]
    applied = rewritten(workload, template, change_cause=change_cause) if heals else None
    if isinstance(applied, Rewritten):
        path = f"/metadata/annotations/{_escaped(LAST_APPLIED)}"
        ops.append({"op": "replace", "path": path, "value": applied.text})
    if still is not None and still.lift is not None:
        ops.append(dict(still.lift))
    return Patch(operation=operation, ops=tuple(ops))


def fence(operation: str, by: str, count: int, *, version: str = "") -> dict[str, Any]:
    """Return the merge patch that makes every PATCH of `operation` still in flight fail.

    The value is unique by the operation that fences and its count: a repeated one would change
    nothing, the resourceVersion included. It has at most 63 characters, as label values must
    (apimachinery pkg/util/validation). A label moves no generation and starts no Pod. With
    `version` it fails where anybody has written since.
    """
    labels = {FENCE: f"{operation[:20]}.{by[:20]}.{count % 10**9}"}
    precondition = {"resourceVersion": version} if version else {}
    return {"metadata": {"labels": labels, **precondition}}


def _annotation_ops(workload: Object, *, operation: str, change_cause: str) -> list[dict[str, Any]]:
    present = objects.annotations_of(workload)
    marker = {MARKER: operation} if operation else {}
    wanted = marker | ({CHANGE_CAUSE: change_cause} if change_cause else {})
    if not present and wanted:
        return [{"op": "add", "path": "/metadata/annotations", "value": wanted}]
    ops: list[dict[str, Any]] = [
        {"op": "add", "path": f"/metadata/annotations/{_escaped(key)}", "value": value}
        for key, value in wanted.items()
    ]
    if not change_cause and CHANGE_CAUSE in present:
        ops.append({"op": "remove", "path": f"/metadata/annotations/{_escaped(CHANGE_CAUSE)}"})
    return ops


def _escaped(key: str) -> str:
    """Return a key as one JSON Pointer segment (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")
