"""A revision that does not exist: which there are, and which may have been meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.difference.words import summary
from backout.core.errors import ConfigError
from backout.core.ledger.records import Ledger

if TYPE_CHECKING:
    from backout.core.model import Revision
    from backout.core.preflight.snapshot import Snapshot

MOST = 5
"""Revisions of which it is told what going there would change."""


def no_such_revision(snapshot: Snapshot, number: int) -> ConfigError:
    """Return the error for a number that no revision has."""
    return ConfigError(f"{there_is_no(snapshot, number)}", remedy=meant(snapshot, number))


def there_is_no(snapshot: Snapshot, number: int) -> str:
    """Return that there is no revision of this number, and which there are."""
    existing = ", ".join(str(r.number) for r in snapshot.revisions) or "none"
    return f"there is no revision {number} of {snapshot.target}; existing: {existing}"


def meant(snapshot: Snapshot, number: int) -> str:
    """Return what may have been meant: the same template by its new number, else the nearest."""
    renumbered = _renumbered(snapshot, number)
    if renumbered is not None:
        return f"what was revision {number} is revision {renumbered.number} now"
    there = [r.number for r in snapshot.revisions]
    others = [r.number for r in snapshot.revisions if not r.is_current] or there
    nearest = min(others, key=lambda n: (abs(n - number), -n), default=None)
    return f"the nearest is revision {nearest}" if nearest is not None else ""


def what_each_changes(snapshot: Snapshot) -> str:
    """Return what going to each other revision would change, newest first; empty without any."""
    now = snapshot.workload["spec"]["template"]
    others = [r for r in snapshot.revisions if not r.is_current]
    told = [f"revision {r.number} changes: {summary(now, r.template)}" for r in others[:MOST]]
    return ". ".join(told)


def _renumbered(snapshot: Snapshot, number: int) -> Revision | None:
    """Return the revision that had this number once, by its own word or by the ledger's."""
    history, ledger = snapshot.revisions, snapshot.ledger
    own = next((r for r in history if str(number) in r.earlier), None)
    if own is not None or not isinstance(ledger, Ledger):
        return own
    sides = [s for r in reversed(ledger.records) for s in (r.destination, r.source)]
    hashes = [h for s in sides if s.revision == number for h in s.hashes]
    return next((r for h in hashes for r in history if r.hash == h), None)
