"""What a hostile cluster makes of the output, word by word: nothing in it acts."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from backout.cli.output.renderers import renderer
from backout.core.events.lines import About, Line
from backout.core.events.told import Noted, RunEnded
from backout.core.events.watching import LogRead, Moved, NotReady

if TYPE_CHECKING:
    from backout.core.events.event import Event

NAME = "web\x1b]0;owned\x07\u202e"
SAYS = "::error::x\n##vso[task.complete result=Failed]\r\u200b[bold]"
LOG = ["::set-output name=a::b", "##[error]no", "\x1b[31mred\x1b[0m", "a\u2028b"]

MESSAGE = f"Pod {NAME}: {SAYS}"
EVENTS: list[Event] = [
    Moved(message=MESSAGE),
    Noted(message=MESSAGE),
    NotReady(
        message=MESSAGE,
        code="CRASH_LOOP",
        evidence="",
        remedy="",
        final=True,
        group="",
        final_in=None,
        outlook="",
    ),
    LogRead(message=MESSAGE, lines=tuple(LOG)),
    RunEnded(message=MESSAGE, result="failed", exit=4, verdict="", health="", remedy=SAYS),
]
GOLDEN = r"""
Pod web\x1b]0;owned\x07\u202e: ::error::x\n#\x23vso[task.complete result=Failed]\r\u200b[bold]
note: Pod web\x1b]0;owned\x07\u202e: ::error::x\n#\x23vso[task.complete result=Failed]\r\u200b[bold]
  cause    Pod web\x1b]0;owned\x07\u202e: ::error::x\n#\x23vso[task.complete result=Failed]\r\u200b[bold] [CRASH_LOOP]
  log      Pod web\x1b]0;owned\x07\u202e: ::error::x\n#\x23vso[task.complete result=Failed]\r\u200b[bold]
  │ ::set-output name=a::b
  │ #\x23[error]no
  │ \x1b[31mred\x1b[0m
  │ a\u2028b
✗ Pod web\x1b]0;owned\x07\u202e: ::error::x\n#\x23vso[task.complete result=Failed]\r\u200b[bold]
  next: ::error::x\n#\x23vso[task.complete result=Failed]\r\u200b[bold]
"""  # noqa: E501 (as it is printed)


def line(event: Event) -> Line:
    return Line(time=datetime(2026, 1, 1, tzinfo=UTC), about=About(trace_id="t"), event=event)


def lines(text: str) -> list[str]:
    return sorted(text.strip("\n").split("\n"))


def test_text_is_as_written_here(capsys: pytest.CaptureFixture[str]) -> None:
    shown = renderer("text")
    for event in EVENTS:
        shown.event(line(event))
    told = capsys.readouterr()

    assert lines(told.out + told.err) == lines(GOLDEN)


def test_json_keeps_every_character_and_no_line_of_it_is_a_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown = renderer("json")
    for event in EVENTS:
        shown.event(line(event))
    out = capsys.readouterr().out

    assert "##" not in out
    assert out.isascii()
    assert [json.loads(line)["message"] for line in out.splitlines()] == [e.message for e in EVENTS]


@pytest.mark.parametrize("words", ["::error::x", " ::error::x", "##[group]x"])
def test_a_message_that_is_a_command_from_its_start_is_none(
    capsys: pytest.CaptureFixture[str], words: str
) -> None:
    renderer("text").event(line(Moved(message=words)))
    out = capsys.readouterr().out

    assert not out.lstrip().startswith(("::", "##["))
