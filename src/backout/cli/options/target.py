"""`TYPE/NAME` or `TYPE NAME`, with kubectl's short names and group suffixes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from backout.core.model import Target

_DEPLOYMENTS = {"deploy", "deployment", "deployments"}
_LATER = {
    "sts": "StatefulSet",
    "statefulset": "StatefulSet",
    "statefulsets": "StatefulSet",
    "ds": "DaemonSet",
    "daemonset": "DaemonSet",
    "daemonsets": "DaemonSet",
}
_SUFFIX = re.compile(r"\.(?:v1\.)?apps$")
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_LONGEST = 253


def names(words: tuple[str, ...], namespace: str) -> tuple[str, ...]:
    """Return the names of several workloads: `TYPE/NAME ...` or `TYPE NAME ...`, as kubectl's."""
    if len(words) > 1 and not any("/" in word for word in words):
        kind, *rest = words
        words = tuple(f"{kind}/{name}" for name in rest)
    return tuple(parse((word,), namespace).name for word in words)


def is_deployments(words: tuple[str, ...]) -> bool:
    """Tell whether the words are a kind alone, and one that backout undoes."""
    return len(words) == 1 and _SUFFIX.sub("", words[0].lower()) in _DEPLOYMENTS


def parse(words: tuple[str, ...], namespace: str) -> Target:
    """Return what the user points at; raise click.UsageError where it is not one workload."""
    kind, name = _split(words)
    plain = _SUFFIX.sub("", kind.lower())
    if plain in _LATER:
        raise click.UsageError(
            f"{_LATER[plain]}s are not supported yet: backout undoes Deployments"
        )
    if plain not in _DEPLOYMENTS:
        hint = f"deployment/{kind}" if _is_name(kind) and not name else "deployment/NAME"
        raise click.UsageError(f"{kind!r} is not a kind that backout undoes; write {hint}")
    if not name:
        raise click.UsageError("a name is required: nothing is ever all objects of a kind")
    if not _is_name(name):
        raise click.UsageError(f"{name[:80]!r} is not a name of a Kubernetes object")
    from backout.core.model import Target  # noqa: PLC0415 (not for --help)

    return Target(kind="Deployment", namespace=namespace, name=name)


def _is_name(text: str) -> bool:
    return len(text) <= _LONGEST and _NAME.fullmatch(text) is not None


def _split(words: tuple[str, ...]) -> tuple[str, str]:
    match words:
        case (one,):
            kind, _, name = one.partition("/")
            return kind, name
        case (kind, name) if "/" not in kind:
            return kind, name
        case _:
            raise click.UsageError("name one workload: TYPE/NAME, for example deployment/web")
