from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

# One seed by default: a build does not fail by chance. Explore with BACKOUT_SEED=$RANDOM.
os.environ.setdefault("BACKOUT_SEED", "21")


def seed() -> int:
    """Return the seed of this run: BACKOUT_SEED, else always the same."""
    return int(os.environ["BACKOUT_SEED"])


def pytest_report_header() -> str:
    return f"kubectl differential: BACKOUT_SEED={seed()}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    # When all of tests/ runs, this file is loaded too late for the header.
    terminalreporter.write_line(f"kubectl differential: BACKOUT_SEED={seed()}")
