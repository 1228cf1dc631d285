"""`TYPE/NAME` or `TYPE NAME`, with kubectl's short names and group suffixes."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

import click

from backout.core.kinds import KINDS
from backout.core.kinds.target import Target

if TYPE_CHECKING:
    from backout.core.kinds.kind import Kind
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_LONGEST = 253


def several(words: tuple[str, ...], namespace: str) -> tuple[Target, ...]:
    """Return several workloads: `TYPE/NAME ...` or `TYPE NAME ...`, as kubectl's."""
    if len(words) > 1 and not any("/" in word for word in words):
        kind, *rest = words
        words = tuple(f"{kind}/{name}" for name in rest)
    return tuple(parse((word,), namespace) for word in words)


def kind_alone(words: tuple[str, ...]) -> Kind | None:
    """Return the kind where the words are one alone that backout undoes, else None."""
    return kind_of(words[0]) if len(words) == 1 else None


def kind_of(word: str, kinds: tuple[Kind, ...] = ()) -> Kind | None:
    """Return the kind that a word means as kubectl takes it: `deploy`, `deployments.v1.apps`.

    `kinds` are those to choose from; without any all that backout undoes.
    """
    plain = word.lower()
    for kind in kinds or KINDS:
        own, names = kind.resource, _names(kind)
        ends = ("", f".{own.group}", f".{own.version}.{own.group}")
        if plain in {f"{name}{end}" for name in names for end in ends}:
            return kind
    return None


def _names(kind: Kind) -> set[str]:
    return {*kind.short, kind.resource.name.lower(), kind.resource.plural}


def parse(words: tuple[str, ...], namespace: str, kinds: tuple[Kind, ...] = ()) -> Target:
    """Return what the user points at; raise click.UsageError where it is not one workload.

    `kinds` as `kind_of` takes them.
    """
    word, name = _split(words)
    kind = kind_of(word, kinds)
    if kind is None:
        raise click.UsageError(_not_a_kind(word, name))
    if not name:
        raise click.UsageError(
            f"a name is required, as in {_example()}/web: all objects of a kind are never meant"
        )
    if not _is_name(name):
        raise click.UsageError(f"{name[:80]!r} is not a name of a Kubernetes object")
    return Target(kind=kind, namespace=namespace, name=name)


def needed() -> str:
    """Return the sentence that asks for a workload."""
    return f"name one workload: TYPE/NAME, for example {_example()}/web"


def _example() -> str:
    return KINDS[0].resource.name.lower()


def _not_a_kind(word: str, name: str) -> str:
    *others, last = (kind.resource.name for kind in KINDS)
    near = get_close_matches(word.lower(), [n for k in KINDS for n in _names(k)], 1)
    if near and name:
        hint = f"did you mean {near[0]}/{name}?"
    else:
        hint = f"write {_example()}/{word if _is_name(word) and not name else 'NAME'}"
    kinds = f"{', '.join(others)} or {last}"
    return f"{word!r} is not a kind that backout rolls back ({kinds}); {hint}"


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
            count = f", not {len(words)}" if words else ""
            raise click.UsageError(needed().replace("one workload", f"one workload{count}", 1))
