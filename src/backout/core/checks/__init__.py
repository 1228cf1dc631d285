"""One family a file; the list of all checks is explicit, so that grep finds everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.checks import (
    admission,
    breaker,
    compatibility,
    disruption,
    history,
    image_bytes,
    image_platform,
    images,
    ownership,
    proof,
    reach,
    references,
    relevance,
)
from backout.core.checks.check import Check, run, unseen
from backout.core.model import Finding, Skipped

if TYPE_CHECKING:
    from backout.core.preflight.snapshot import Preflight

CHECKS: tuple[Check, ...] = (
    *history.CHECKS,
    *proof.CHECKS,
    *references.CHECKS,
    *images.CHECKS,
    *image_bytes.CHECKS,
    *image_platform.CHECKS,
    *ownership.CHECKS,
    *admission.CHECKS,
    *disruption.CHECKS,
    *reach.CHECKS,
    *compatibility.CHECKS,
    *breaker.CHECKS,
    *relevance.CHECKS,
)


def run_all(preflight: Preflight) -> tuple[tuple[Finding, ...], tuple[Skipped, ...]]:
    """Return what every check found, and which checks could not be made and why."""
    findings: list[Finding] = []
    skipped: list[Skipped] = []
    for check in CHECKS:
        result = run(check, preflight)
        if isinstance(result, Skipped):
            skipped.append(result)
        else:
            findings.extend(result)
            skipped.extend(unseen(check, preflight))
    return tuple(findings), tuple(skipped)
