"""What differs between two Pod templates, in the words that people look for.

`image shop:v3 -> shop:v1; env CRASH removed; readiness probe changed`. Of values only images and
amounts are told: anything else may be a secret.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backout.core.difference.fields import differences
from backout.core.images.names import short
from backout.core.kubernetes import template

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backout.core.difference.fields import Difference
    from backout.core.model import Object

_LISTS = ("initContainers", "containers")
_PROBES = {
    "livenessProbe": "liveness probe",
    "readinessProbe": "readiness probe",
    "startupProbe": "start-up probe",
}
_NAMES = {
    "envFrom": "env from ConfigMaps or Secrets",
    "lifecycle": "lifecycle hooks",
    "securityContext": "security context",
    "topologySpreadConstraints": "topology spread",
    "priorityClassName": "priority class",
    "runtimeClassName": "runtime class",
    "schedulerName": "scheduler",
    "serviceAccountName": "service account",
    "terminationGracePeriodSeconds": "termination grace period",
    "imagePullSecrets": "image pull Secrets",
}
_ITEMS = {
    "env": "env",
    "nodeSelector": "node selector",
    "ports": "port",
    "volumeMounts": "mount",
    "volumes": "volume",
}
"""Fields whose members people name one by one."""
NOTHING = "nothing that runs"


def changes(before: Object, after: Object) -> tuple[str, ...]:
    """Return a phrase a change, images first; none where both templates mean the same.

    A container is named where there are several.
    """
    several = len(template.images(before).keys() | template.images(after).keys()) > 1
    told = [_phrase(one, several=several) for one in differences(before, after)]
    return tuple(sorted(dict.fromkeys(told), key=lambda phrase: "image " not in phrase))


def summary(before: Object, after: Object, *, most: int = 6) -> str:
    """Return the changes in one line; what is more than `most` is counted."""
    told = changes(before, after)
    more = f"; and {len(told) - most} more" if len(told) > most else ""
    return "; ".join(told[:most]) + more if told else NOTHING


def _phrase(one: Difference, *, several: bool) -> str:
    match one.path:
        case ("spec", kind, name, *rest) if kind in _LISTS:
            where = f"container {name}: " if several and rest else ""
            return where + _of_container(name, rest, one)
        case ("spec", field, *rest):
            return _of_field(field, rest, one)
        case ("metadata", "annotations" | "labels" as field, *rest):
            return _verb(f"{field.removesuffix('s')} {' '.join(rest)}".rstrip(), one)
        case path:
            return _verb(".".join(path), one)


def _of_container(name: str, rest: Iterable[str], one: Difference) -> str:
    match list(rest):
        case []:
            return _verb(f"container {name}", one)
        case ["image"]:
            return _image(str(one.before), str(one.after))
        case ["resources", "limits" | "requests" as kind, resource]:
            return _amount(f"{resource} {kind.removesuffix('s')}", one)
        case [probe, *_] if probe in _PROBES:
            return _verb(_PROBES[probe], one, whole=len(list(rest)) == 1)
        case [field, *inner]:
            return _of_field(field, inner, one)
    raise AssertionError(name)


def _of_field(field: str, rest: list[str], one: Difference) -> str:
    if field in _ITEMS and rest:
        return _verb(f"{_ITEMS[field]} {rest[0]}", one, whole=len(rest) == 1)
    if isinstance(one.before, int | None) and isinstance(one.after, int | None) and not rest:
        return _amount(_NAMES.get(field, field), one)
    return _verb(_NAMES.get(field, field), one, whole=not rest)


def _image(before: str, after: str) -> str:
    """Return `image shop:v3 -> shop:v1`; in full where the short names would not tell."""
    is_moved = before.rpartition("/")[0] != after.rpartition("/")[0]
    one, other = (before, after) if is_moved else (short(before), short(after))
    return f"image {one} -> {other}"


def _amount(what: str, one: Difference) -> str:
    return f"{what} {_shown(one.before)} -> {_shown(one.after)}"


def _shown(value: Any) -> str:
    words = {None: "none", True: "true", False: "false"}
    return words[value] if value is None or isinstance(value, bool) else str(value)


def _verb(what: str, one: Difference, *, whole: bool = True) -> str:
    """Return what happened to a thing; `whole`: all of it differs, not something within."""
    if whole and one.before is None:
        return f"{what} added"
    return f"{what} removed" if whole and one.after is None else f"{what} changed"
