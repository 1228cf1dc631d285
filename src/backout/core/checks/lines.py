"""The command lines that remedies print: to be pasted as they are, to the same cluster."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from msgspec.structs import replace

from backout.core.history.choice import NoChoice, choose

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Sequence

    from backout.core.model import Revision
    from backout.core.preflight.request import Request
    from backout.core.preflight.snapshot import Preflight, Snapshot

ANY = "--to-revision N"
"""Stands where no other revision can be named."""

_CONNECTION = frozenset(
    {"--context", "--kubeconfig", "--cluster", "--user", "--as", "--as-group", "--as-uid"}
)
"""kubectl's own flags, which backout takes, too."""
_CHOICE = frozenset({"--to-revision", "--to-image", "--accept"})
"""With a value; what was accepted of one revision is not of another."""


_VARIABLE = re.compile(r"\$BACKOUT_\w+")


def again(policy: Request, snapshot: Snapshot, *more: str) -> str:
    """Return the command as it was given, with more flags; what stands behind `--` is none."""
    words = _given(policy, snapshot)
    end = words.index("--") if "--" in words else len(words)
    return joined((*policy.program.split(), *words[:end], *more, *words[end:]))


def chosen_anew(policy: Request, snapshot: Snapshot, *more: str) -> str:
    """Return the command as it was given, without the revision it names and what it accepts."""
    words = [w for pair in _flags(_given(policy, snapshot)) if pair[0] not in _CHOICE for w in pair]
    kept = tuple(w for w in words if w != "--to-last-healthy" and not _is_choice(w))
    return again(replace(policy, command=kept), snapshot, *more)


def elsewhere(preflight: Preflight, *more: str, avoiding: Iterable[Revision] = ()) -> str:
    """Return the line that goes to the next best revision; else the flag that names one.

    Neither where it would go now, nor what is known to be bad, nor one of `avoiding`.
    """
    tried = {one.hash for one in (preflight.destination, preflight.origin, *avoiding)}
    numbers = {r.number for r in preflight.revisions if r.hash not in tried}
    return _best_of(preflight, numbers, *more) or ANY


def older(preflight: Preflight) -> str:
    """Return the line that goes to the next best revision before the target; empty where none."""
    here = preflight.origin.number
    return _best_of(preflight, {r.number for r in preflight.revisions if r.number < here})


def _best_of(preflight: Preflight, numbers: Container[int], *more: str) -> str:
    wanted = preflight.snapshot.workload["spec"]["template"]
    known = preflight.snapshot.known
    choice = choose(preflight.revisions, known, wanted=wanted, only=numbers)
    if isinstance(choice, NoChoice):
        return ""
    to = ("--to-revision", str(choice.revision.number))
    return chosen_anew(preflight.policy, preflight.snapshot, *to, *more)


def of(command: str, policy: Request, snapshot: Snapshot, *more: str) -> str:
    """Return a command of kubectl's or backout's about the workload, with the same connection."""
    target = snapshot.target
    flags = [w for pair in _flags(policy.command) if _name(pair[0]) in _CONNECTION for w in pair]
    called = [*policy.program.split(), *command.split()[1:]]
    words = called if command.startswith("backout ") else command.split()
    return joined((*words, str(target), "-n", target.namespace, *flags, *more))


def joined(words: Iterable[str]) -> str:
    """Return words as a line for a shell, which fills a secret's variable in."""
    return " ".join(f'"{w}"' if _VARIABLE.fullmatch(w) else shlex.quote(w) for w in words)


def _given(policy: Request, snapshot: Snapshot) -> tuple[str, ...]:
    target = snapshot.target
    return policy.command or ("undo", str(target), "-n", target.namespace)


def _flags(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield each word, those of which the value is a word of its own together with it."""
    rest = list(words)
    while rest:
        first = rest.pop(0)
        takes = first in _CONNECTION | _CHOICE and bool(rest)
        yield (first, rest.pop(0)) if takes else (first,)


def _name(word: str) -> str:
    return word.partition("=")[0]


def _is_choice(word: str) -> bool:
    return "=" in word and _name(word) in _CHOICE
