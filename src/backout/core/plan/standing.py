"""Whether many workloads could be rolled back: a row each, and how they stand together."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from backout.core.events.planning import WorkloadChecked, WorkloadFinding, WorkloadSkipped
from backout.core.history import revisions
from backout.core.kubernetes import template
from backout.core.model import Severity
from backout.core.outcome import Outcome, Result
from backout.core.plan.plan import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from backout.core.errors import BackoutError
    from backout.core.kinds.target import Target
    from backout.core.model import Finding, Object, Skipped
    from backout.core.plan.plan import Plan
    from backout.core.preflight.snapshot import Preflight


class Standing(StrEnum):
    """Could it be rolled back? The worst first."""

    REFUSED = "refused"
    UNKNOWN = "unknown"
    POSSIBLE = "possible"


WEIGHT = {Severity.BLOCK: 0, Severity.WARN: 1, Severity.INFO: 2}
"""The worst first."""


class Row(Struct, frozen=True, kw_only=True):
    """What was found of one workload, findings worst first.

    `now` and `back_to` are revisions' numbers, None where there is none or it is not known; `why`
    tells what speaks for `back_to`, `error` why nothing could be checked. Images
    stand with the names of their containers.
    """

    target: Target
    answer: Standing
    now: int | None = None
    back_to: int | None = None
    proven: bool = False
    why: str = ""
    findings: tuple[Finding, ...] = ()
    blocks: frozenset[str] = frozenset()
    skipped: tuple[Skipped, ...] = ()
    now_images: tuple[tuple[str, str], ...] = ()
    back_to_images: tuple[tuple[str, str], ...] = ()
    error: str = ""
    remedy: str = ""


def row(target: Target, found: Plan | Refusal) -> Row:
    """Return the row of a workload whose checks were made, or that has nowhere to go."""
    is_refused = isinstance(found, Refusal)
    preflight = found.preflight
    return Row(
        target=target,
        answer=Standing.REFUSED if is_refused else Standing.POSSIBLE,
        findings=tuple(sorted(found.findings, key=lambda f: WEIGHT[f.severity])),
        blocks=frozenset(b.id for b in found.blocks) if isinstance(found, Refusal) else frozenset(),
        skipped=found.skipped,
        **(_chosen(preflight) if preflight is not None else _current(found)),
    )


def unknown(target: Target, error: BackoutError) -> Row:
    """Return the row of a workload that could not be read."""
    return Row(target=target, answer=Standing.UNKNOWN, error=error.message, remedy=error.remedy)


def _chosen(preflight: Preflight) -> dict[str, Any]:
    current = revisions.current(preflight.revisions)
    return {
        "now": current.number if current is not None else None,
        "back_to": preflight.destination.number,
        "now_images": _images(preflight.snapshot.workload["spec"]["template"]),
        "back_to_images": _images(preflight.destination.template),
        "proven": preflight.choice.proven,
        "why": preflight.choice.why,
    }


def _current(found: Plan | Refusal) -> dict[str, Any]:
    """Return where a workload is that has nowhere to go."""
    if not isinstance(found, Refusal):
        return {}
    now = revisions.current(found.snapshot.revisions)
    return {"now": now.number, "now_images": _images(now.template)} if now is not None else {}


def _images(pod_template: Object) -> tuple[tuple[str, str], ...]:
    return tuple(template.images(pod_template).items())


def checked(one: Row) -> WorkloadChecked:
    """Return the event that tells a row."""
    findings = [
        WorkloadFinding(
            id=f.id,
            severity=str(f.severity),
            message=f.message,
            detail=f.detail,
            remedy=f.remedy,
            refuses=f.id in one.blocks,
        )
        for f in one.findings
    ]
    return WorkloadChecked(
        message=_told(one),
        workload=one.target.reference,
        answer=str(one.answer),
        now=one.now,
        back_to=one.back_to,
        proven=one.proven,
        why=one.why,
        worst=str(one.findings[0].severity) if one.findings else None,
        ids=tuple(dict.fromkeys(f.id for f in one.findings)),
        findings=tuple(findings),
        skipped=tuple(WorkloadSkipped(id=s.id, reason=s.reason) for s in one.skipped),
        error=one.error,
        remedy=one.remedy,
        now_images=dict(one.now_images),
        back_to_images=dict(one.back_to_images),
    )


def _told(one: Row) -> str:
    """Return a row as a sentence."""
    if one.answer is Standing.UNKNOWN:
        return f"{one.target} could not be checked: {one.error}"
    if one.answer is Standing.POSSIBLE:
        return f"{one.target} could be rolled back to revision {one.back_to}"
    return f"{one.target} would not be rolled back ({', '.join(sorted(one.blocks))})"


def counts(answers: Iterable[Standing]) -> dict[Standing, int]:
    """Return how many workloads have each answer."""
    found = Counter(answers)
    return {answer: found[answer] for answer in Standing}


def outcome(count: Mapping[Standing, int]) -> Outcome:
    """Return the last word on all workloads: what refuses outranks what is not known."""
    refused, unasked = count[Standing.REFUSED], count[Standing.UNKNOWN]
    others = [
        *([f"{refused} would be refused"] if refused else []),
        *([f"{unasked} could not be checked"] if unasked else []),
    ]
    message = f"{count[Standing.POSSIBLE]} of {sum(count.values())} workloads could be rolled back"
    result = Result.REFUSED if refused else Result.NOT_CHANGED if unasked else Result.SUCCEEDED
    return Outcome(
        result=result,
        message=message,
        also=(", ".join(others),) if others else (),
        remedy="see everything about one of them: backout check TYPE/NAME -n NAMESPACE"
        if others
        else "",
    )


def workloads(count: int) -> str:
    """Return a number of workloads in words."""
    return "1 workload" if count == 1 else f"{count} workloads"
