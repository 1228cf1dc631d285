"""What a check is: one id, one severity, its needs, and the function that finds the bad fact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backout.core.model import Finding, Severity, Skipped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from backout.core.snapshot import Need, Preflight


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A bad fact, its evidence, what to do about it, and what going on anyway may cost."""

    message: str
    detail: str = ""
    remedy: str = ""
    risk: str = ""


@dataclass(frozen=True, kw_only=True)
class Check:
    """A rule: `find` yields the bad facts; where not `acceptable`, `--accept` cannot lift them.

    Without one of `needs` it is skipped; without one of `parts` it looks at the rest, and what it
    could not look at is said.
    """

    id: str
    severity: Severity
    title: str
    find: Callable[[Preflight], Iterable[Fact]]
    needs: frozenset[Need] = frozenset()
    parts: frozenset[Need] = frozenset()
    acceptable: bool = True


def run(check: Check, preflight: Preflight) -> tuple[Finding, ...] | Skipped:
    """Return what the check found; Skipped where something it needs could not be read."""
    for need in sorted(check.needs):
        why = preflight.snapshot.unreadable.get(need)
        if why is not None:
            return Skipped(id=check.id, title=check.title, reason=f"{need}: {why}")
    return tuple(finding(check, fact) for fact in check.find(preflight))


def unseen(check: Check, preflight: Preflight) -> tuple[Skipped, ...]:
    """Return the parts that a check could not look at."""
    hidden = preflight.snapshot.unreadable
    return tuple(
        Skipped(id=check.id, title=check.title, reason=f"{part}: {hidden[part]}")
        for part in sorted(check.parts & hidden.keys())
    )


def finding(check: Check, fact: Fact) -> Finding:
    """Return the finding that a fact is, with the check's id and severity."""
    return Finding(
        id=check.id,
        severity=check.severity,
        message=fact.message,
        detail=fact.detail,
        remedy=fact.remedy,
        risk=fact.risk,
        acceptable=check.acceptable,
    )
