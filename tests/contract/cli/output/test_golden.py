"""What a hostile cluster makes of the output, word by word: nothing in it acts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from backout.cli.output.renderers import renderer
from backout.core.model import Event

if TYPE_CHECKING:
    from typing import Any

NAME = "web\x1b]0;owned\x07\u202e"
SAYS = "::error::x\n##vso[task.complete result=Failed]\r\u200b[bold]"
LOG = ["::set-output name=a::b", "##[error]no", "\x1b[31mred\x1b[0m", "a\u2028b"]

EVENTS: dict[str, dict[str, Any]] = {
    "progress": {},
    "note": {},
    "cause": {"final": True, "code": "CRASH_LOOP"},
    "logs": {"lines": LOG},
    "outcome": {"exit": 4, "result": "failed", "remedy": SAYS},
}
GOLDEN = r"""
Pod web\x1b]0;owned\x07\u202e: ::error::x\n#\x23vso[task.complete result=Failed]\r\u200b[bold]
note: Pod web\x1b]0;owned\x07\u202e: ::error::x\n#\x23vso[task.complete result=Failed]\r\u200b[bold]
  cause: Pod web\x1b]0;owned\x07\u202e: ::error::x\n#\x23vso[task.complete result=Failed]\r\u200b[bold] [CRASH_LOOP]
  Pod web\x1b]0;owned\x07\u202e: ::error::x\n#\x23vso[task.complete result=Failed]\r\u200b[bold]
  │ ::set-output name=a::b
  │ #\x23[error]no
  │ \x1b[31mred\x1b[0m
  │ a\u2028b
ERROR: Pod web\x1b]0;owned\x07\u202e: ::error::x\n#\x23vso[task.complete result=Failed]\r\u200b[bold]
  \x3a:error::x\n#\x23vso[task.complete result=Failed]\r\u200b[bold]
"""  # noqa: E501 (as it is printed)


def hostile() -> list[Event]:
    return [Event(kind=k, message=f"Pod {NAME}: {SAYS}", fields=f) for k, f in EVENTS.items()]


def lines(text: str) -> list[str]:
    return sorted(text.strip("\n").split("\n"))


def test_text_is_as_written_here(capsys: pytest.CaptureFixture[str]) -> None:
    shown = renderer("text")
    for event in hostile():
        shown.event(event)
    told = capsys.readouterr()

    assert lines(told.out + told.err) == lines(GOLDEN)


def test_json_keeps_every_character_and_no_line_of_it_is_a_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown = renderer("json")
    for event in hostile():
        shown.event(event)
    out = capsys.readouterr().out

    assert "##" not in out
    assert out.isascii()
    assert [json.loads(line)["message"] for line in out.splitlines()] == [
        e.message for e in hostile()
    ]


@pytest.mark.parametrize("line", ["::error::x", " ::error::x", "##[group]x"])
def test_a_message_that_is_a_command_from_its_start_is_none(
    capsys: pytest.CaptureFixture[str], line: str
) -> None:
    renderer("text").event(Event(kind="progress", message=line, fields={}))
    out = capsys.readouterr().out

    assert not out.lstrip().startswith(("::", "##["))
