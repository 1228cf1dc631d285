"""Many workloads as a table, worst first, and why checks of them were skipped."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from backout.core.model import Severity
from backout.core.plan.standing import WEIGHT, Standing, workloads
from backout.core.preflight.snapshot import NOT_ASKED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backout.core.events.planning import WorkloadChecked

HEADER = ("NAMESPACE", "WORKLOAD", "NOW", "BACK TO", "ANSWER", "WHY")
_ANSWERS = {"refused": "no", "unknown": "unknown", "possible": "yes"}
MOST_REASONS = 10


def table(rows: Iterable[WorkloadChecked]) -> list[tuple[str, tuple[str, ...]]]:
    """Return the rows of a table, worst first, each with its worst; untrusted cells."""
    return [(_worst(one), _cells(one)) for one in sorted(rows, key=_rank)]


def reasons(rows: Iterable[WorkloadChecked]) -> list[str]:
    """Return why checks were skipped, the commonest first, a line each."""
    ids: dict[str, set[str]] = {}
    met: Counter[str] = Counter()
    for one in rows:
        for reason in dict.fromkeys(s.reason for s in one.skipped):
            # What nobody asks of many is no gap in what was asked.
            met[reason] += not reason.endswith(NOT_ASKED)
        for skipped in one.skipped:
            ids.setdefault(skipped.reason, set()).add(skipped.id)
    common = [(reason, count) for reason, count in (+met).most_common(MOST_REASONS)]
    lines = [f"{', '.join(sorted(ids[r]))} of {workloads(n)}: not checked: {r}" for r, n in common]
    more = len(+met) - len(common)
    return [*lines, *([f"and for {more} more reasons: -o json has them all"] if more else [])]


def _rank(one: WorkloadChecked) -> tuple[int, int, str, str]:
    severity = one.worst
    return (
        list(Standing).index(Standing(one.answer)),
        WEIGHT[Severity(severity)] if severity else len(WEIGHT),
        one.workload["namespace"],
        one.workload["name"],
    )


def _worst(one: WorkloadChecked) -> str:
    return "unknown" if one.answer == Standing.UNKNOWN else str(one.worst or "")


def _cells(one: WorkloadChecked) -> tuple[str, ...]:
    workload = one.workload
    return (
        workload["namespace"],
        f"{workload['kind'].lower()}/{workload['name']}",
        _number(one.now),
        _number(one.back_to),
        _ANSWERS[one.answer],
        _words(one),
    )


def _number(revision: int | None) -> str:
    return "-" if revision is None else str(revision)


def _words(one: WorkloadChecked) -> str:
    """Return the first finding in words, of those that refuse if any does; else what proves it."""
    if one.error:
        return one.error
    findings = one.findings
    if not findings:
        return one.why
    first = next((f for f in findings if f.refuses), findings[0])
    others = len([i for i in one.ids if i != first.id])
    return f"{first.id} {first.message}" + (f" (+{others} more)" if others else "")
