"""The view at the bottom of a terminal: in 80 columns, in place, and nothing in it acts."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from backout.cli.output.live import Live, frame
from backout.core.rollout.view import View

HOSTILE = "web\x1b[2J\u202e\n::error::x"


def seen(pods: int = 2, cause: str = "", name: str = "web-1") -> View:
    return View(
        wanted=3,
        ready=1,
        old=2,
        old_ready=1,
        pods=tuple((f"{name}-{n}", "Ready") for n in range(pods)),
        cause=cause,
        elapsed=7.9,
        allowed=603.0,
    )


@pytest.mark.parametrize("columns", [20, 80, 200])
def test_no_line_is_as_wide_as_the_terminal(columns: int) -> None:
    lines = frame(seen(cause="x" * 500, name="a" * 200), columns)
    assert all(len(line) < columns for line in lines)


def test_the_first_line_tells_the_replicas_by_state_and_the_time_against_the_time_out() -> None:
    assert frame(seen(), 80)[0] == "  new 1/3 ready   old 1 ready of 2   0:07 of 10:03"


def test_while_the_service_is_asked_its_good_answers_are_counted() -> None:
    head = frame(replace(seen(), healthy="3/6"), 80)[0]
    assert head == "  new 1/3 ready   old 1 ready of 2   healthy 3/6   0:07 of 10:03"


def test_many_pods_are_counted_and_not_listed() -> None:
    lines = frame(replace(seen(pods=8), more=32), 80)
    assert len(lines) == 1 + 8 + 1
    assert lines[-1] == "    and 32 more"


@pytest.mark.parametrize("rows", [6, 12, 24])
def test_a_frame_leaves_rows_free_and_tells_what_it_left_out(rows: int) -> None:
    lines = frame(replace(seen(pods=8, cause="x"), more=32), 80, rows)

    assert len(lines) <= rows - 3
    assert lines[-1] == "  x"
    assert lines[-2] == f"    and {8 + 32 - (len(lines) - 3)} more"


def test_what_the_cluster_says_cannot_act() -> None:
    text = "".join(frame(seen(cause=HOSTILE, name=HOSTILE), 200))
    assert text.isprintable()


def test_a_frame_takes_the_place_of_the_one_before(capsys: pytest.CaptureFixture[str]) -> None:
    live = Live()
    live.show(seen(pods=3))
    first = capsys.readouterr().out
    live.show(seen(pods=1))
    second = capsys.readouterr().out
    live.show(seen(pods=1))

    assert first.count("\n") == 4
    assert second.startswith("\x1b[4A\r")
    assert second.endswith("\x1b[J")
    assert capsys.readouterr().out == "", "the same frame is not drawn again"


def test_lines_are_printed_above_and_nothing_of_the_view_is_left_over(
    capsys: pytest.CaptureFixture[str],
) -> None:
    live = Live()
    live.show(seen(pods=1))
    kept = live.aside()
    live.back(kept)
    live.show(None)

    out = capsys.readouterr().out
    assert out.endswith("\x1b[2A\r\x1b[J")
    assert len(kept) == 2
    live.show(None)
    assert capsys.readouterr().out == ""
