"""The page for a wall: which workloads could be rolled back, the worst first.

It is filtered by state with radio buttons and CSS alone, and each workload has an address.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from backout.cli.output.reports.page import rendered

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from backout.core.events.planning import WorkloadFinding

_NO_ANCHOR = re.compile(r"[^a-z0-9.-]+")


class Readiness(Struct, frozen=True, kw_only=True):
    """How a workload stands: `key` in the page's addresses, its word, and its tone."""

    key: str
    word: str
    tone: str


BLOCKED = Readiness(key="blocked", word="blocked", tone="bad")
UNKNOWN = Readiness(key="unknown", word="not checked", tone="bad")
WARNINGS = Readiness(key="warnings", word="warnings", tone="warn")
PART = Readiness(key="part", word="ready, partly checked", tone="plain")
READY = Readiness(key="ready", word="ready", tone="good")
STATES = (BLOCKED, UNKNOWN, WARNINGS, PART, READY)
"""The worst first."""


class WallRow(Struct, frozen=True, kw_only=True):
    """A workload: where it is and would go, each with its images as people call them.

    `blocks` are told in full, `others` folded; `error` with its remedy where nobody could check it;
    `skipped` are ids.
    """

    namespace: str
    workload: str
    state: Readiness
    now: int | None
    now_images: Sequence[str]
    back_to: int | None
    back_to_images: Sequence[str]
    blocks: Sequence[WorkloadFinding]
    others: Sequence[WorkloadFinding]
    skipped: Sequence[str]
    error: str = ""
    remedy: str = ""

    @property
    def anchor(self) -> str:
        """The address on the page; the same on tomorrow's."""
        words = f"{self.namespace}.{self.workload}".lower()
        return _NO_ANCHOR.sub("-", words)


def wall_page(
    rows: Sequence[WallRow],
    *,
    about: Mapping[str, str],
    where: str,
    time: str,
    gaps: Sequence[str] = (),
) -> str:
    """Return the page; raise ConfigError where the extra is not installed.

    `about` has `cluster` and `namespace`, each where it is one, `where` says all with the user,
    `time` is when they were checked, `gaps` what could not be looked at.
    """
    ordered = sorted(rows, key=lambda row: (STATES.index(row.state), row.namespace, row.workload))
    counts = [(state, sum(row.state == state for row in rows)) for state in STATES]
    possible = len(rows) - sum(n for state, n in counts if state in {BLOCKED, UNKNOWN})
    return rendered(
        "wall.html",
        rows=ordered,
        counts=[(state, n) for state, n in counts if n],
        possible=possible,
        place=_place(about),
        where=where,
        time=time,
        gaps=gaps,
    )


def _place(about: Mapping[str, str]) -> str:
    cluster, namespace = about.get("cluster") or "this cluster", about.get("namespace")
    return f"{cluster}, namespace {namespace}" if namespace else cluster
