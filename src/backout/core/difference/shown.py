"""Differences as lines for people: the path, then the value before and after.

Values are untrusted, and may be secrets: those of environment variables and of HTTP headers are
hidden, and so is what looks like a credential, unless the user asks for values.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from backout.core.text import masked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from backout.core.difference.fields import Difference

    Judge = Callable[[tuple[str, ...], str], bool]

HIDDEN = "***"
_BY_NAME = frozenset(
    {"annotations", "containers", "env", "ephemeralContainers", "hostAliases", "imagePullSecrets"}
    | {"initContainers", "labels", "limits", "nodeSelector", "ports", "requests"}
    | {"topologySpreadConstraints", "volumeDevices", "volumeMounts", "volumes"}
)
"""Fields whose members have names of the user's: they stand in brackets."""
_VALUED = frozenset({"env", "httpHeaders"})
"""Lists of names with a `value` that nobody but its reader should see."""


def lines(
    found: Iterable[Difference], *, with_values: bool = False, with_plain: bool = False
) -> list[str]:
    """Return three lines a difference: ` PATH`, `-BEFORE`, `+AFTER`; what is not there has none.

    `with_values`: every value, secret or not; `with_plain`: those that look like no credential.
    """
    told: list[str] = []
    hide = without_credentials if with_plain else hidden
    for one in found:
        told.append(f" {place(one.path)}")
        told += [
            f"{mark} {_written(value if with_values else hide(one.path, value))}"
            for mark, value in (("-", one.before), ("+", one.after))
            if value is not None
        ]
    return told


def place(path: tuple[str, ...]) -> str:
    """Return a path as people write it: `spec.containers[web].image`."""
    told, by_name = "", False
    for name in path:
        told += f"[{name}]" if by_name else f".{name}"
        by_name = name in _BY_NAME and not by_name
    return told.removeprefix(".")


def _anonymous(_: str) -> str:
    return HIDDEN


def hidden(path: tuple[str, ...], value: Any, veil: Callable[[str], str] = _anonymous) -> Any:
    """Return a value without what may be a secret: `veil` says what stands in a text's place.

    `path` leads to it from the template, by names or by places in lists.
    """
    return _hidden(path, value, veil, _is_secret)


def without_credentials(path: tuple[str, ...], value: Any) -> Any:
    """Return a value without what looks like a credential, by its own name or by its text."""
    return _hidden(path, value, _anonymous, _is_credential)


def hidden_operation(operation: Mapping[str, Any]) -> dict[str, Any]:
    """Return an operation of a JSON Patch without what may be a secret in its value."""
    if "value" not in operation:
        return dict(operation)
    path = tuple(s.replace("~1", "/").replace("~0", "~") for s in operation["path"].split("/"))
    return {**operation, "value": hidden(path, operation["value"])}


def numbering() -> Callable[[str], str]:
    """Return a veil by which equal texts look equal, and others do not: `*** (1)`, `*** (2)`."""
    seen: dict[str, int] = {}
    return lambda text: f"{HIDDEN} ({seen.setdefault(text, len(seen) + 1)})"


def _hidden(path: tuple[str, ...], value: Any, veil: Callable[[str], str], judge: Judge) -> Any:
    if isinstance(value, dict):
        return {k: _hidden((*path, k), v, veil, judge) for k, v in value.items()}
    if isinstance(value, list):
        return list(_items(path, value, veil, judge))
    is_secret = isinstance(value, str) and judge(path, value)
    return veil(value) if is_secret else value


def _items(
    path: tuple[str, ...], items: list[Any], veil: Callable[[str], str], judge: Judge
) -> Iterator[Any]:
    """Yield a list's items; in a command `--password hunter2` is two of them."""
    before = ""
    for place_, item in enumerate(items):
        named = str(item.get("name", place_)) if isinstance(item, dict) else str(place_)
        is_text = isinstance(item, str)
        is_told = before.startswith("-") and is_text and not item.startswith("-")
        if is_told and _looks_secret(before.lstrip("-"), item):
            yield veil(item)
        else:
            yield _hidden((*path, named), item, veil, judge)
        before = item if is_text else ""


def _is_secret(path: tuple[str, ...], value: str) -> bool:
    return _is_value(path) or _is_credential(path, value)


def _is_credential(path: tuple[str, ...], value: str) -> bool:
    named = path[:-1] if _is_value(path) else path
    return _looks_secret(named[-1] if named else "", value)


def _is_value(path: tuple[str, ...]) -> bool:
    return path[-1:] == ("value",) and not _VALUED.isdisjoint(path)


def _looks_secret(name: str, value: str) -> bool:
    named = f"{name}={value}"
    return masked(named) != named or masked(value) != value


def _written(told: Any) -> str:
    return told if isinstance(told, str) else json.dumps(told, ensure_ascii=False, sort_keys=True)
