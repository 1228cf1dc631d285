"""An objection has one id and one severity; a check has its needs, too, and finds the bad fact."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from backout.core.model import Finding, Severity, Skipped
from backout.core.preflight.snapshot import Need

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from backout.core.preflight.snapshot import Preflight
    from backout.core.references.references import Reference


class Fact(Struct, frozen=True, kw_only=True):
    """A bad fact, its evidence, what to do about it, and what going on anyway may cost."""

    message: str
    detail: str = ""
    remedy: str = ""
    risk: str = ""


class Objection(Struct, frozen=True, kw_only=True):
    """What stands against a rollback; where not `acceptable`, `--accept` cannot lift it.

    What is `by_person` a person accepts, each time again: no policy file and no automation may.
    `lifted_by` are the words that lift it instead of `--accept ID`: an option of its own, which
    needs no reason, or none, where a reason is all it takes.
    """

    id: str
    severity: Severity
    title: str
    acceptable: bool = True
    by_person: bool = False
    lifted_by: tuple[str, ...] | None = None


class Check(Objection, frozen=True, kw_only=True):
    """An objection that is looked for in what was read: `find` yields the bad facts.

    Without one of `needs` it is skipped; without one of `parts` it looks at the rest, and what it
    could not look at is said.
    """

    find: Callable[[Preflight], Iterable[Fact]]
    needs: frozenset[Need] = frozenset()
    parts: frozenset[Need] = frozenset()


SHOWN = 3
"""Names that fit in a finding."""


def few(names: Sequence[str]) -> str:
    """Return the first of many names and how many more there are: nobody reads 200 lines."""
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def still_runs(preflight: Preflight, what: str = "it") -> str:
    """Return what is known of the Pods that run the target, as the end of a sentence."""
    ready = preflight.destination.ready
    if Need.PODS in preflight.snapshot.unreadable:
        return f"whether Pods still run {what} could not be read"
    if not ready:
        return "no Pod is started now; a later one could not start"
    words = "1 Pod still runs" if ready == 1 else f"{ready} Pods still run"
    return f"{words} {what}; a rescheduled one could not start"


def folded(facts: Mapping[Reference, Fact], did: str) -> Iterator[Fact]:
    """Yield what was found of each object; of many one fact that names the first."""
    if len(facts) <= SHOWN:
        yield from facts.values()
        return
    first = next(iter(facts.values()))
    yield replace(
        first,
        message=f"{len(facts)} objects {did}: {few([str(one) for one in facts])}",
        detail=f"{first.message}; {first.detail}",
        remedy="compare them with what they were; a rollback does not bring them back",
    )


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


def finding(one: Objection, fact: Fact) -> Finding:
    """Return the finding that a fact is, with the id and severity of the objection."""
    return Finding(
        id=one.id,
        severity=one.severity,
        message=fact.message,
        detail=fact.detail,
        remedy=fact.remedy,
        risk=fact.risk,
        acceptable=one.acceptable,
        lifted_by=one.lifted_by,
    )
