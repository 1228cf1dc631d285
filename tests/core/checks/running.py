"""Run one check by its id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.checks import CHECKS
from backout.core.checks.check import run
from backout.core.model import Skipped

if TYPE_CHECKING:
    from backout.core.model import Finding
    from backout.core.preflight.snapshot import Preflight


def result_of(one: str, preflight: Preflight) -> tuple[Finding, ...] | Skipped:
    (check,) = (c for c in CHECKS if c.id == one)
    return run(check, preflight)


def found_by(one: str, preflight: Preflight) -> tuple[Finding, ...]:
    result = result_of(one, preflight)
    assert not isinstance(result, Skipped)
    return result
