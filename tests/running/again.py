"""A plugin for pytest: a test that fails among many at once is run once more, alone, at the end.

    python -m pytest -n 8 -p tests.running.again

Whatever passes then is listed at the end as flaky, with its first failure, and fails the run only
where the list has `TOO_MANY` entries: each is a defect of the test or of the product. A test with
the marker `never_again` is not given a second chance, and nothing is where more than `HOPELESS`
failed: then it is not chance. Without workers (`-n`) nothing ran at once, and nothing is repeated.
"""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

TOO_MANY = 3
HOPELESS = 9
NEVER = "never_again"


def pytest_configure(config: pytest.Config) -> None:
    is_worker = hasattr(config, "workerinput")
    if not is_worker and config.getoption("numprocesses", None):
        config.pluginmanager.register(Again(config))


class Again:
    """Collects what failed in the workers, runs it again and forgives what passes."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._failed: dict[str, list[pytest.TestReport]] = {}
        self._flaky: dict[str, list[pytest.TestReport]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._failed.setdefault(report.nodeid, []).append(report)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        result = yield
        if len(self._failed) <= HOPELESS:
            for nodeid, reports in self._failed.items():
                if not any(NEVER in r.keywords for r in reports) and self._passes(nodeid):
                    self._flaky[nodeid] = reports
        if len(self._flaky) < TOO_MANY:
            self._forgive(session)
        return result

    def _passes(self, nodeid: str) -> bool:
        self._reporter.write_sep("=", f"once more, alone: {nodeid}")
        sys.stdout.flush()
        argv = [sys.executable, "-m", "pytest", "--quiet", "--no-header", nodeid]
        return subprocess.run(argv, cwd=self._config.rootpath, check=False).returncode == 0

    def _forgive(self, session: pytest.Session) -> None:
        """Let what is flaky count as such, in the exit code and in the closing line."""
        stats = self._reporter.stats
        for reports in self._flaky.values():
            session.testsfailed -= len(reports)
            for kind in ("failed", "error"):
                kept = [r for r in stats.pop(kind, []) if r not in reports]
                stats.update({kind: kept} if kept else {})
            stats.setdefault("flaky", []).append(reports[0])

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self) -> None:
        if not self._flaky:
            return
        self._reporter.section("failed among many, passed alone")
        for reports in self._flaky.values():
            for report in reports:
                self._reporter.write_sep("_", f"{report.nodeid} ({report.when})")
                self._reporter.write_line(report.longreprtext)
        for nodeid in self._flaky:
            self._reporter.write_line(f"flaky: {nodeid}")

    @property
    def _reporter(self) -> pytest.TerminalReporter:
        found = self._config.pluginmanager.get_plugin("terminalreporter")
        assert isinstance(found, pytest.TerminalReporter)
        return found
