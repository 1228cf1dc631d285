"""A journal of many runs, at times at once, cut off and damaged: which lines are whose."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backout.core.events.lines import Line, read
from backout.core.report import runs

WEB = {"cluster": "c", "kind": "Deployment", "namespace": "shop", "name": "web"}


def line(event: str, trace: str = "t1", op: str = "o1") -> Any:
    time = "2026-01-01T00:00:00.000+00:00"
    return {"time": time, "event": event, "traceID": trace, "object": WEB, "op": op}


def told(*args: Any, **given: Any) -> Line:
    return read(line(*args, **given))


def kinds(run: list[Line] | None) -> list[str] | None:
    return None if run is None else [one.event.kind for one in run]


def test_runs_at_once_are_told_apart_and_the_last_written_is_the_newest() -> None:
    lines = [told("context"), told("context", "t2"), told("outcome", "t2"), told("outcome")]
    found = runs.runs(lines)

    assert [run[0].about.trace_id for run in found] == ["t2", "t1"]


def test_runs_of_one_trace_id_are_told_apart_by_their_ends() -> None:
    killed = [told("context"), told("triggered")]
    whole = [told("note", op="o2"), told("context", op="o2"), told("outcome", op="o2")]

    assert [kinds(r) for r in runs.runs([*whole, *killed, *whole[1:]])] == [
        ["note", "context", "outcome"],
        ["context", "triggered"],
        ["context", "outcome"],
    ]


def content(*lines: bytes) -> bytes:
    return b"\n".join(lines)


WHOLE = json.dumps(line("context")).encode()


def test_a_last_line_that_was_cut_off_is_said() -> None:
    found = runs.parse(content(WHOLE, WHOLE[:40]))

    assert len(found.lines) == 1
    assert found.gaps == (
        "the last line of the journal was cut off: its writer was killed or is writing",
    )


@pytest.mark.parametrize(
    "damaged",
    [
        b"\xff\xfe",
        b"[]",
        b"null",
        b"{}",
        b'{"event": "x"}',
        b'{"event": "x", "time": "yesterday"}',
        b'{"event": 1, "time": "2026-01-01T00:00:00+00:00"}',
        b'{"event": "x", "time": "2026-01-01T00:00:00"}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_line_is_left_out_and_said(damaged: bytes) -> None:
    found = runs.parse(content(WHOLE, damaged, WHOLE, b""))

    assert len(found.lines) == 2
    assert found.gaps == ("1 line of the journal cannot be read (the first is line 2)",)


def test_an_empty_journal_has_no_lines_and_no_gaps() -> None:
    assert runs.parse(b"") == runs.Lines(lines=())
