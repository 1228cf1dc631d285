"""A plugin for pytest: which checks found something, and which found nothing, over a whole run."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from backout.core.checks import check as original

if TYPE_CHECKING:
    from backout.core.checks.check import Check, Fact, Objection
    from backout.core.model import Finding, Skipped
    from backout.core.preflight.snapshot import Preflight

FILE = "BACKOUT_TEST_RECORDING"
_run, _finding = original.run, original.finding
_triggered: set[str] = set()
_clean: set[str] = set()


def _recorded_run(check: Check, preflight: Preflight) -> tuple[Finding, ...] | Skipped:
    result = _run(check, preflight)
    if result == ():
        _clean.add(check.id)
    return result


def _recorded_finding(one: Objection, fact: Fact) -> Finding:
    _triggered.add(one.id)
    return _finding(one, fact)


# Before the tests import them: a plugin of the command line is loaded first.
original.run, original.finding = _recorded_run, _recorded_finding


def pytest_sessionfinish() -> None:
    told = {"triggered": sorted(_triggered), "clean": sorted(_clean)}
    Path(os.environ[FILE]).write_text(json.dumps(told))
