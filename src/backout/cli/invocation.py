"""What the command line said, once it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backout.core.value import dataclass

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from backout.core.kinds.target import Target
    from backout.core.outcome import Outcome
    from backout.session.settings import Settings
    from backout.steps.run import Run


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """The steps to carry out, on what, and how.

    `workload` makes the target once the namespace is known; `flags` are kubectl's, those of
    session/connect; `notes` tell what policy files set; `is_local`: the ledger is a file.
    """

    carry_out: Callable[[Run], Awaitable[Outcome]]
    workload: Callable[[str], Target]
    flags: Mapping[str, Any]
    settings: Settings
    trace_id: str
    output: str
    verbose: bool
    quiet: bool = False
    notes: tuple[str, ...] = ()
    dry_run: bool = False
    ask: bool = False
    is_local: bool = False
    journal: Path | None = None
