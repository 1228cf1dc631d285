"""Barriers: what must not be gone back over, as the Pod templates themselves say.

Each revision carries its own, for example `schema 39; older code refuses it`; manifests keep it
from then on. It is crossed where a revision newer than the target, up to the current one, carries a
value that the target does not carry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from backout.core.kubernetes import objects

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backout.core.model import Object, Revision

ANNOTATION = "backout.dev/barrier"
"""On the Pod template, never on the workload: kubectl would take that one back along."""


class Barrier(Struct, frozen=True, kw_only=True):
    """A barrier and the revision that brought it; None: the controller has not made that yet."""

    revision: int | None
    value: str

    def __str__(self) -> str:
        who = "the newest template" if self.revision is None else f"revision {self.revision}"
        return f"{who} has the barrier {self.value!r:.200}"


def value(template: Object) -> str:
    """Return a template's barrier; empty where it has none."""
    return str(objects.annotations_of(template).get(ANNOTATION) or "")


def crossed(
    target: Revision, history: Sequence[Revision], wanted: Object | None = None
) -> tuple[Barrier, ...]:
    """Return the barriers between a target and the current revision, the oldest first.

    `history` is newest first and holds the target; `wanted` is the template that the workload asks
    for, which counts where no revision has it yet. Each value is told once, by its oldest revision.
    """
    own, found = value(target.template), dict[str, int | None]()
    for one in _passed(target, history):
        found.setdefault(value(one.template), one.number)
    if wanted is not None and not any(r.is_current for r in history):
        found.setdefault(value(wanted), None)
    return tuple(Barrier(revision=n, value=v) for v, n in found.items() if v not in {"", own})


def _passed(target: Revision, history: Sequence[Revision]) -> list[Revision]:
    """Return the revisions newer than the target, up to the current one; the oldest first."""
    uid = objects.uid(target.stored)
    now = next((i for i, r in enumerate(history) if r.is_current), 0)
    there = next((i for i, r in enumerate(history) if objects.uid(r.stored) == uid), now)
    return list(reversed(history[now:there]))
