"""Which workloads a manifest names, as kubectl reads it: documents, and lists in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backout.core.kinds import KINDS
from backout.core.kinds.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from backout.core.kinds.kind import Kind

_LIST = "List"


def named(documents: Iterable[Any]) -> tuple[Target, ...]:
    """Return the workloads in their order, each once; `namespace` is empty where none is given.

    Other kinds are passed over. Raises ValueError for what is no object, or has no name.
    """
    found = (target for one in documents for target in _in(one))
    return tuple(dict.fromkeys(found))


def _in(document: Any, inherited: str = "", version: str = "") -> Iterator[Target]:
    """Give the workloads of an object; what is in a `DeploymentList` need not repeat its kind."""
    if document is None:
        return
    kind, group = _text(document, "kind") or inherited, _text(document, "apiVersion") or version
    if not kind or not group:
        raise ValueError("an object has a kind and an apiVersion")
    if kind.endswith(_LIST) and isinstance(items := document.get("items"), list):
        for item in items:
            yield from _in(item, kind.removesuffix(_LIST), group)
        return
    known = _known(kind, group)
    if known is not None:
        yield _target(known, document.get("metadata"))


def _target(kind: Kind, metadata: Any) -> Target:
    name = _text(metadata, "name")
    if not name:
        raise ValueError(f"a {kind.resource.name} has no name")
    return Target(kind=kind, namespace=_text(metadata, "namespace"), name=name)


def _known(name: str, version: str) -> Kind | None:
    of_group = (k for k in KINDS if version.partition("/")[0] == k.resource.group)
    return next((k for k in of_group if k.resource.name == name), None)


def _text(found: Any, key: str) -> str:
    """Return a text of a mapping, empty where there is none; raise ValueError where it is none."""
    if not isinstance(found, dict):
        raise ValueError("an object is a mapping")  # noqa: TRY004 (a value of the file's)
    value = found.get(key)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{key} is not a text")
    return value or ""
