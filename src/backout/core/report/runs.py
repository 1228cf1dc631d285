"""The journal's lines, cut into runs: a journal is appended to by many, at times at once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from msgspec import Struct

from backout.core.events.lines import Line, read
from backout.core.events.planning import Began
from backout.core.events.told import RunEnded

if TYPE_CHECKING:
    from collections.abc import Iterable


class Lines(Struct, frozen=True, kw_only=True):
    """What could be read; `gaps` says what could not."""

    lines: tuple[Line, ...]
    gaps: tuple[str, ...] = ()


class WantedRun(Struct, frozen=True, kw_only=True):
    """Which run: a trace id or an operation's id, or a workload; nothing is asked: the newest.

    Of a trace id the first 8 characters are enough. `is_any`: also one that changed nothing.
    """

    record: str = ""
    kind: str = ""
    name: str = ""
    namespace: str = ""
    is_any: bool = False


def parse(content: bytes) -> Lines:
    """Return the lines of a journal. One that was cut off by a kill, or is damaged, is said."""
    lines: list[Line] = []
    damaged: list[int] = []
    pieces = content.split(b"\n")
    for number, piece in enumerate(pieces, start=1):
        if not piece.strip():
            continue
        line = _line(piece)
        if line is None:
            damaged.append(number)
        else:
            lines.append(line)
    gaps = []
    if damaged and damaged[-1] == len(pieces):
        damaged.pop()
        gaps.append("the last line of the journal was cut off: its writer was killed or is writing")
    if damaged:
        count = f"{len(damaged)} lines" if len(damaged) > 1 else "1 line"
        gaps.insert(0, f"{count} of the journal cannot be read (the first is line {damaged[0]})")
    return Lines(lines=tuple(lines), gaps=tuple(gaps))


def runs(lines: Iterable[Line]) -> list[list[Line]]:
    """Return the lines of each run, the run that was written to last at the end.

    Runs at the same time differ in their trace id; runs one after the other may share it.
    """
    under_way: dict[tuple[str, str], list[tuple[int, Line]]] = {}
    found: list[list[tuple[int, Line]]] = []
    for place, line in enumerate(lines):
        key = (line.about.trace_id, str(sorted(line.about.object.items())))
        run = under_way.get(key)
        if run is None or _is_over(run, line):
            run = under_way[key] = []
            found.append(run)
        run.append((place, line))
    found.sort(key=lambda run: run[-1][0])
    return [[line for _, line in run] for run in found]


def _line(piece: bytes) -> Line | None:
    try:
        return read(json.loads(piece))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _is_over(run: list[tuple[int, Line]], line: Line) -> bool:
    """Tell whether a line begins the next run of the same trace id."""
    is_begun = any(isinstance(one.event, Began) for _, one in run[:3])
    is_ended = isinstance(run[-1][1].event, RunEnded)
    return is_ended or (isinstance(line.event, Began) and is_begun)
