"""What the applied manifest's template becomes when a rollback changes the live one.

`kubectl apply` deletes what `last-applied-configuration` has and the new manifest has not. After a
rollback that annotation still holds the bad manifest, so what that one had dropped, and the
rollback brought back, would never be deleted again (measured on 1.34.4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backout.core.heal.template_lists import by_identity
from backout.core.kubernetes import objects
from backout.core.kubernetes.merge_keys import keys_of
from backout.core.kubernetes.template import without_hash

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backout.core.model import Object

RESTARTED = "kubectl.kubernetes.io/restartedAt"
"""What `kubectl rollout restart` writes: never a manifest's."""
_ABSENT: Any = object()
_NOTHING: Mapping[str, Any] = {}


def project(target: Object, live: Object, applied: Object) -> dict[str, Any]:
    """Return `applied`, the manifest's template, as if the manifest of `target` had been applied.

    `live` is the template before the rollback. Of the target a field is kept that the manifest has,
    that was gone and comes back, or whose value the rollback changes. What is live in both and not
    in the manifest is somebody else's: a default, injected, or edited by hand.
    """
    return _of_map(_own(target), _own(live), applied)


def _own(template: Object) -> dict[str, Any]:
    """Return a live template without what a controller or a restart has put there."""
    own = without_hash(template)
    notes = {k: v for k, v in objects.annotations_of(own).items() if k != RESTARTED}
    if notes:
        own["metadata"]["annotations"] = notes
    else:
        own["metadata"].pop("annotations", None)
    return own


def _of_map(target: Any, live: Any, applied: Any) -> dict[str, Any]:
    """Project a map key by key; what is no map on the other sides has no keys there."""
    before, manifest = (one if isinstance(one, dict) else _NOTHING for one in (live, applied))
    found = {
        key: _of_value(key, value, before.get(key, _ABSENT), manifest.get(key, _ABSENT))
        for key, value in target.items()
    }
    return {key: value for key, value in found.items() if value is not _ABSENT}


def _of_value(field: str, target: Any, live: Any, applied: Any) -> Any:
    """Return what the manifest holds of one value, `_ABSENT` where that is nothing."""
    if live is _ABSENT and applied is _ABSENT:
        return target
    if isinstance(target, dict):
        found = _of_map(target, live, applied)
        is_changed = not target and live != target
        return found if found or is_changed or applied is not _ABSENT else _ABSENT
    items = by_identity(field, target)
    if items:
        return _of_list(field, items, live, applied)
    return applied if live == target else target


def _of_list(field: str, target: Any, live: Any, applied: Any) -> Any:
    """Project a keyed list item by item, in the target's order."""
    before, manifest = (by_identity(field, one) or {} for one in (live, applied))
    items = []
    for identity, item in target.items():
        was, is_applied = before.get(identity, _ABSENT), manifest.get(identity, _ABSENT)
        found = _of_value(field, item, was, is_applied)
        own = {k: item[k] for k in keys_of(field) if k in item}
        is_kept = found is not _ABSENT and (found or is_applied is not _ABSENT)
        if is_kept:
            items.append({**own, **found})
    return items if items or applied is not _ABSENT else _ABSENT
