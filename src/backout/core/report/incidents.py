"""Runs -> incidents: a rollback together with the runs that went on with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.events.acting import (
    FieldsReturned,
    PatchLanded,
    PodReplaced,
    Recovered,
    Resumed,
    Triggered,
)
from backout.core.events.planning import Began
from backout.core.events.told import RunEnded
from backout.core.outcome import Result

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from backout.core.events.lines import Line
    from backout.core.report.runs import WantedRun

SHORT = 8
"""Characters of a trace id that tell it from others."""
_CHANGES = (Triggered, Resumed, PatchLanded, PodReplaced, FieldsReturned)
_NOT_CHANGED = {str(Result.REFUSED), str(Result.NOT_CHANGED)}


def incidents(runs: Sequence[list[Line]]) -> list[list[Line]]:
    """Return the lines of each incident, the one that was written to last at the end.

    What went on with a rollback of the same journal stands behind it; of one that another journal
    holds it is an incident of its own.
    """
    started_by = {line.about.op: place for place, run in enumerate(runs) for line in run}
    found: dict[int, list[list[Line]]] = {}
    for place, run in enumerate(runs):
        before = _continued(run)
        head = started_by.get(before, place) if before else place
        found[head] = [*found.pop(head, []), run]
    return [[line for run in sorted(one, key=_start) for line in run] for one in found.values()]


def choose(found: Sequence[list[Line]], wanted: WantedRun) -> list[Line] | None:
    """Return the newest incident that is wanted, None where there is none.

    One that changed something goes before newer ones that did not, unless any will do.
    """
    matching = [lines for lines in reversed(found) if is_wanted(lines, wanted)]
    if not wanted.is_any and not wanted.record:
        matching.sort(key=lambda lines: not has_changed(lines))
    return matching[0] if matching else None


def has_changed(lines: Sequence[Line]) -> bool:
    """Tell whether something was, or may have been, changed in the cluster."""
    ends = [line.event.result for line in lines if isinstance(line.event, RunEnded)]
    is_nothing = bool(ends) and ends[-1] in _NOT_CHANGED
    return not is_nothing and any(isinstance(line.event, _CHANGES) for line in lines)


def is_wanted(lines: Sequence[Line], wanted: WantedRun) -> bool:
    """Tell whether these are lines of what is asked for."""
    if wanted.record:
        return any(_is_named(line, wanted.record) for line in lines)
    about = lines[-1].about.object
    return all(
        asked in {"", about.get(key)}
        for key, asked in (
            ("kind", wanted.kind),
            ("name", wanted.name),
            ("namespace", wanted.namespace),
        )
    )


def _is_named(line: Line, record: str) -> bool:
    about = line.about
    is_short = len(record) >= SHORT and about.trace_id.startswith(record)
    return is_short or record in {about.trace_id, about.op}


def _continued(run: Sequence[Line]) -> str:
    """Return the operation that a run went on with, or settled; empty where it did neither.

    An undo may settle what others left open, on its way: that does not make it theirs.
    """
    events = [line.event for line in run]
    taken = [e.resumed for e in events if isinstance(e, Resumed)]
    is_resume = any(isinstance(e, Began) and e.command == "resume" for e in events)
    closed = [e.recovered for e in events if isinstance(e, Recovered) and is_resume]
    return next(iter([*taken, *reversed(closed)]), "")


def _start(run: Sequence[Line]) -> datetime:
    return run[0].time
