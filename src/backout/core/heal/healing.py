"""What a rollback does about the next deploy, said before anything is changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from msgspec import Struct

from backout.core.heal.hand_back import APPLY, Owned, appliers, owners_of
from backout.core.heal.last_applied import LeftAlone, Rewritten, rewritten

if TYPE_CHECKING:
    from backout.core.model import Object, Revision

MOST_KEPT = 16 * 1024
"""Bytes that a record may keep of who owned what, until the fields are handed back."""


_APPLIED = (
    "the template in last-applied-configuration is rolled back, too: the next kubectl apply works "
    "as if the old manifest had been applied"
)
_NOT_KEPT = (
    "who owns which field is too long for the record: if this run is killed between its two "
    "writes, the fields stay with backout"
)


class Healing(Struct, frozen=True, kw_only=True):
    """What will be healed. `applied` is the annotation's fate, None where there is none.

    `owners` is who has which of the fields that will change; empty where nobody applies them.
    """

    applied: Rewritten | LeftAlone | None = None
    owners: tuple[Owned, ...] = ()

    @property
    def is_kept(self) -> bool:
        """Whether the record has room for what is needed to hand the fields back later."""
        return size(self.owners) <= MOST_KEPT


def healing(workload: Object, revision: Revision, *, wanted: bool) -> Healing:
    """Return what a rollback to a revision will heal; nothing where that is not `wanted`."""
    if not wanted:
        return Healing()
    cause = revision.change_cause
    applied = rewritten(workload, revision.template, change_cause=cause)
    return Healing(applied=applied, owners=owners_of(workload))


def size(owners: tuple[Owned, ...]) -> int:
    """Return how many bytes a record needs for them."""
    return len(json.dumps([o.fields for o in owners], separators=(",", ":"), ensure_ascii=True))


def sentences(found: Healing) -> tuple[str, ...]:
    """Return what will be done, for a person."""
    return (*_of_client(found.applied), *_of_server(found))


def _of_client(applied: Rewritten | LeftAlone | None) -> tuple[str, ...]:
    match applied:
        case Rewritten():
            return (_APPLIED,)
        case LeftAlone(why=why):
            return (f"last-applied-configuration is left alone: {why}",)
        case None:
            return ()


def _of_server(found: Healing) -> tuple[str, ...]:
    names = ", ".join(appliers(o for o in found.owners if o.operation == APPLY))
    if not names:
        return ()
    words = f"the fields that change are handed back to {names}: the next apply meets no conflict"
    if found.is_kept:
        return (words,)
    return (words, _NOT_KEPT)
