"""Hands the fields that a rollback took back to those who apply them, in `metadata.managedFields`.

The PATCH makes `backout` the owner of each field it changes: the next server-side apply then meets
conflicts, and what it drops stays (measured on 1.34.4). Whose a field is, four rules tell:

1. The appliers that had it just before the PATCH have it again.
2. What somebody had without applying it (`kubectl set image`) is nobody's: no conflict with it.
3. What nobody had came back: it is the applier's who has the nearest parent. Of several it is the
   one's who has everything else that came back (a volume is dropped with its mount), else the one's
   who applied last: he made the bad revision.
4. A struct that the rollback emptied is in nobody's set: its removed fields' applier has it.

Who owns the annotation of client-side apply is an applier, too: when kubectl migrates to
server-side apply it takes over the fields of that owner alone (seen with kubectl 1.37.1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import Struct

from backout.core.heal import field_sets
from backout.core.heal.last_applied import LAST_APPLIED
from backout.core.kubernetes import objects
from backout.core.model import CHANGE_CAUSE, FIELD_MANAGER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from backout.core.heal.field_sets import Path, Paths
    from backout.core.model import Object

APPLY = "Apply"
TEMPLATE: Path = ("f:spec", "f:template")
_CAUSE: Path = ("f:metadata", "f:annotations", f"f:{CHANGE_CAUSE}")
_APPLIED: Path = ("f:metadata", "f:annotations", f"f:{LAST_APPLIED}")
_SCOPE: tuple[Path, ...] = (TEMPLATE, _CAUSE, _APPLIED, ("f:spec", "f:paused"))
"""What the PATCH changes, but for its marker."""
Key: TypeAlias = tuple[str, str, str, str]


class Owned(Struct, frozen=True, kw_only=True):
    """What one manager had of the fields that the PATCH changes, just before it.

    `fields` is fieldsV1, `at` the entry's time as the API server spells it.
    """

    manager: str
    operation: str
    api_version: str
    at: str
    fields: Mapping[str, Any]

    @property
    def paths(self) -> Paths:
        """The set that `fields` spells."""
        return field_sets.parsed(self.fields)

    @property
    def key(self) -> Key:
        """What tells its entry from others."""
        return (self.manager, self.operation, self.api_version, "")


class HandedBack(Struct, frozen=True, kw_only=True):
    """The managed fields as they should be.

    `untold` are fields of which it cannot be told whose they are: they are nobody's then, and stay
    when a manifest drops them.
    """

    entries: tuple[Object, ...]
    untold: Paths = frozenset()


def owners_of(workload: Object) -> tuple[Owned, ...]:
    """Return who has which of the fields that a PATCH will change; nobody where nobody applies."""
    found = [
        Owned(
            manager=str(entry.get("manager", "")),
            operation=str(entry.get("operation", "")),
            api_version=str(entry.get("apiVersion", "")),
            at=str(entry.get("time", "")),
            fields=field_sets.written(paths),
        )
        for entry in entries_of(workload)
        if not entry.get("subresource") and (paths := _in_scope(_paths(entry)))
    ]
    return tuple(found) if any(_applies(o) for o in found) else ()


def appliers(owners: Iterable[Owned]) -> tuple[str, ...]:
    """Return who applies, each once."""
    applies = (o for o in owners if _applies(o))
    return tuple(dict.fromkeys(o.manager for o in applies))


def handed_back(workload: Object, before: Sequence[Owned]) -> HandedBack | None:
    """Return the managed fields of a workload after our PATCH as they should be.

    `before` is who had what just before it. None where nothing of it is ours, so that all is well.
    """
    entries = entries_of(workload)
    ours = [e for e in entries if _is_ours(e)]
    taken = _in_scope(p for e in ours for p in _paths(e))
    known = {o.key: o for o in before if _applies(o)}
    given: dict[Key, set[Path]] = {key: set() for key in known}
    untold = set()
    near = {path: _nearest(path, before) for path in taken}
    dropped = {o[0].key for o in near.values() if len(o) == 1}
    for path in taken:
        receivers = _had(path, before)
        if receivers is None:
            receivers = _of_several(near[path], dropped)
            untold |= {path} if near[path] and not receivers else set()
        for receiver in receivers:
            given[receiver.key].add(path)
    for path, receiver in _emptied(workload, before):
        given[receiver.key].add(path)
    if not taken and not any(given.values()):
        return None
    kept = [_without_taken(e) if _is_ours(e) else _with(e, given.pop(key(e), ())) for e in entries]
    anew = [_entry(known[k], paths) for k, paths in given.items() if paths]
    return HandedBack(entries=(*kept, *anew), untold=frozenset(untold))


def is_ours(workload: Object) -> bool:
    """Tell whether a field that the PATCH changed is still called backout's."""
    return any(_in_scope(_paths(e)) for e in entries_of(workload) if _is_ours(e))


def operations(workload: Object, entries: Sequence[Object]) -> list[dict[str, Any]]:
    """Return the JSON Patch that writes these entries, under the version that was read."""
    metadata = workload["metadata"]
    values = {
        "uid": metadata["uid"],
        "resourceVersion": metadata["resourceVersion"],
        "managedFields": list(entries),
    }
    return [{"op": "replace", "path": f"/metadata/{k}", "value": v} for k, v in values.items()]


def is_kept(sent: Sequence[Object], answered: Object) -> bool:
    """Tell whether the API server has what it was sent: it drops what it cannot use, silently.

    A mutating webhook may have added to it.
    """
    there = {key(e): _paths(e) for e in entries_of(answered)}
    return not is_ours(answered) and all(_paths(e) <= there.get(key(e), set()) for e in sent)


def entries_of(workload: Object) -> Sequence[Object]:
    """Return `metadata.managedFields`, empty where there is none."""
    found: Sequence[Object] = objects.dig(workload, "metadata", "managedFields", default=[])
    return found


def key(entry: Object) -> Key:
    """Return what tells an entry from others."""
    parts = ("manager", "operation", "apiVersion", "subresource")
    manager, operation, version, subresource = (str(entry.get(p) or "") for p in parts)
    return (manager, operation, version, subresource)


def _had(path: Path, before: Sequence[Owned]) -> Sequence[Owned] | None:
    """Return the appliers that had a field, none where others had it; None: nobody had it."""
    had = [o for o in before if path in o.paths and not _was_ours(o)]
    return [o for o in had if _applies(o)] if had else None


def _nearest(path: Path, before: Sequence[Owned]) -> Sequence[Owned]:
    """Return who applies something of a field's nearest parent, where nobody had the field."""
    if _had(path, before) is not None or path[: len(TEMPLATE)] != TEMPLATE:
        return ()
    for parent in field_sets.parents(path, below=len(TEMPLATE)):
        near = [o for o in before if _applies(o) and field_sets.under(o.paths, parent)]
        if near:
            return near
    return ()


def _of_several(near: Sequence[Owned], dropped: set[Key]) -> Sequence[Owned]:
    """Return who of these has dropped a field, nobody where that cannot be told.

    `dropped` is who alone can have dropped other fields.
    """
    known = [o for o in near if {o.key} == dropped]
    last = max((o.at for o in near), default="")
    newest = known or [o for o in near if o.at == last]
    return newest if len(newest) == 1 else ()


def _emptied(workload: Object, before: Sequence[Owned]) -> Iterator[tuple[Path, Owned]]:
    """Return each struct that is empty now and in nobody's set, with whose fields it held."""
    somebodys = {p for e in entries_of(workload) for p in _paths(e)}
    for owned in before:
        held = field_sets.under(owned.paths, TEMPLATE) if _applies(owned) else ()
        structs = {p for path in held for p in field_sets.parents(path, below=len(TEMPLATE) + 1)}
        for path in structs - somebodys:
            if field_sets.value_at(workload, path) == {}:
                yield path, owned


def _in_scope(paths: Iterable[Path]) -> Paths:
    return frozenset(p for p in paths if any(p[: len(s)] == s for s in _SCOPE))


def _without_taken(entry: Object) -> Object:
    paths = _paths(entry)
    return {**entry, "fieldsV1": field_sets.written(paths - _in_scope(paths))}


def _with(entry: Object, more: Iterable[Path]) -> Object:
    added = frozenset(more)
    return {**entry, "fieldsV1": field_sets.written(_paths(entry) | added)} if added else entry


def _entry(owned: Owned, paths: Iterable[Path]) -> Object:
    """Return an entry for an applier that had nothing left."""
    return {
        "manager": owned.manager,
        "operation": owned.operation,
        "apiVersion": owned.api_version,
        **({"time": owned.at} if owned.at else {}),
        "fieldsType": "FieldsV1",
        "fieldsV1": field_sets.written(paths),
    }


def _paths(entry: Object) -> Paths:
    return field_sets.parsed(objects.dig(entry, "fieldsV1", default={}))


def _applies(owned: Owned) -> bool:
    is_client_side = _APPLIED in owned.paths and owned.manager != FIELD_MANAGER
    return owned.operation == APPLY or is_client_side


def _was_ours(owned: Owned) -> bool:
    return (owned.manager, owned.operation) == (FIELD_MANAGER, "Update")


def _is_ours(entry: Object) -> bool:
    names = (entry.get("manager"), entry.get("operation"))
    return names == (FIELD_MANAGER, "Update") and not entry.get("subresource")
