"""Where two Pod templates differ, place by place, as a person would point at it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from backout.core.heal.template_lists import by_identity
from backout.core.kubernetes.template import normalise

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from backout.core.model import Object

_ABSENT: Any = object()
_HANDLERS = frozenset({"exec", "httpGet", "tcpSocket", "grpc", "sleep"})
_SOURCES = frozenset({"value", "valueFrom"})
_VOLUMES = "volumes"


class How(StrEnum):
    """What became of a place: it came back, it went, or it has another value."""

    BACK = "back"
    GONE = "gone"
    OTHER = "other"


class Differing(Struct, frozen=True, kw_only=True):
    """One difference. `words` names it: `containers[app].env[OLD]`, with untrusted names in it.

    `is_choice`: of the fields that exclude each other one came back in place of another.
    """

    words: str
    how: How
    is_choice: bool = False


def differences(target: Object, live: Object) -> tuple[Differing, ...]:
    """Return where `target` differs from `live`, the outermost places alone."""
    there, here = normalise(target), normalise(live)
    return (
        *_of_map(there.get("metadata", {}), here.get("metadata", {}), ""),
        *_of_map(there.get("spec", {}), here.get("spec", {}), ""),
    )


def holds(manifest: Any, template: Any, field: str = "") -> bool:
    """Tell whether a template has all that a manifest says; it may have more (defaults)."""
    if manifest is None or manifest == template:
        return True
    if isinstance(manifest, dict) and isinstance(template, dict):
        return all(holds(v, template.get(k), k) for k, v in manifest.items())
    wanted, there = by_identity(field, manifest), by_identity(field, template)
    if wanted is not None and there is not None:
        return all(i in there and holds(item, there[i]) for i, item in wanted.items())
    if isinstance(manifest, list) and isinstance(template, list):
        pairs = zip(manifest, template, strict=False)
        return len(manifest) == len(template) and all(holds(m, t) for m, t in pairs)
    return manifest in ({}, []) and template is None


def _of_map(target: Mapping[str, Any], live: Mapping[str, Any], where: str) -> Iterator[Differing]:
    back, gone = target.keys() - live.keys(), live.keys() - target.keys()
    is_choice = any(back & one and gone & one for one in (_HANDLERS, _SOURCES)) or _is_volume(
        where, back, gone
    )
    for key in (*target, *sorted(gone)):
        place = f"{where}.{key}" if where else key
        if key in back:
            yield Differing(words=place, how=How.BACK, is_choice=is_choice)
        elif key in gone:
            yield Differing(words=place, how=How.GONE)
        elif target[key] != live[key]:
            yield from _of_value(key, target[key], live[key], place)


def _of_value(field: str, target: Any, live: Any, place: str) -> Iterator[Differing]:
    items, before = by_identity(field, target), by_identity(field, live)
    if isinstance(target, dict) and isinstance(live, dict):
        yield from _of_map(target, live, place)
    elif items is not None and before is not None:
        for identity in dict.fromkeys((*items, *before)):
            name = f"{place}[{'/'.join(i for i in identity if i)}]"
            item, was = items.get(identity, _ABSENT), before.get(identity, _ABSENT)
            if was is _ABSENT or item is _ABSENT:
                yield Differing(words=name, how=How.BACK if was is _ABSENT else How.GONE)
            elif item != was:
                yield from _of_map(item, was, name)
    else:
        yield Differing(words=place, how=How.OTHER)


def _is_volume(where: str, back: set[str], gone: set[str]) -> bool:
    """Tell whether a volume's source has changed: it can have one alone."""
    return where.startswith(f"{_VOLUMES}[") and "." not in where and bool(back and gone)
