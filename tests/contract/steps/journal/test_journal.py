"""The journal: appended to, private, never through a symlink, on disk or an error."""

from __future__ import annotations

import json
import os
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from backout.core.events import EVENTS
from backout.core.events.event import kind_of
from backout.core.events.lines import About, Line
from backout.core.events.told import Noted
from backout.core.events.watching import Counted
from backout.steps.journal import journal as journals
from backout.steps.journal.journal import Journal, JournalError

if TYPE_CHECKING:
    from collections.abc import Iterator

LINE = Line(
    time=datetime(2026, 1, 1, tzinfo=UTC),
    about=About(trace_id="t"),
    event=Noted(message="one\nline \u202e", unwatched="pods"),
)


@pytest.fixture
def descriptors() -> Iterator[None]:
    before = open_descriptors()
    yield
    assert open_descriptors() <= before, "a descriptor was left open"


def open_descriptors() -> set[str]:
    return {one.name for one in Path("/proc/self/fd").iterdir()}


def written(journal: Journal) -> None:
    journal.write(LINE)
    journal.close()


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def default(folder: Path, **environ: str) -> Journal:
    return journals.open_default(environ, folder / "home", lambda: folder / "tmp")


@pytest.mark.usefixtures("descriptors")
def test_an_event_is_one_ascii_line_with_what_all_lines_share(tmp_path: Path) -> None:
    path = tmp_path / "j"
    written(journals.open_explicit(path))
    (line,) = lines(path)

    assert (line["event"], line["message"], line["unwatched"]) == (
        "note",
        LINE.event.message,
        "pods",
    )
    assert line["traceID"] == "t"
    assert line["time"]
    assert path.read_bytes().isascii()


@pytest.mark.usefixtures("descriptors")
def test_a_journal_is_appended_to_and_private(tmp_path: Path) -> None:
    path = tmp_path / "j"
    for _ in range(2):
        written(journals.open_explicit(path))

    assert len(lines(path)) == 2
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what is written and flushed from now on."""
    calls: list[str] = []
    really_write, really_sync = os.write, os.fsync

    def write(descriptor: int, content: bytes) -> int:
        calls.append("write")
        return really_write(descriptor, content)

    def sync(descriptor: int) -> None:
        calls.append("sync")
        really_sync(descriptor)

    monkeypatch.setattr(os, "write", write)
    monkeypatch.setattr(os, "fsync", sync)
    return calls


@pytest.mark.usefixtures("descriptors")
def test_an_event_is_one_write_and_on_disk_before_the_run_goes_on(
    tmp_path: Path, calls: list[str]
) -> None:
    written(journals.open_explicit(tmp_path / "j"))

    assert calls == ["write", "sync"]


@pytest.mark.usefixtures("descriptors")
def test_what_is_only_seen_is_written_at_once_and_no_disk_is_waited_for(
    tmp_path: Path, calls: list[str]
) -> None:
    path = tmp_path / "j"
    journal = journals.open_explicit(path)
    counts = {"wanted": 3, "updated": 1, "ready": 0, "available": 0, "old": 3, "old_ready": 3}
    counted = Counted(message="1 of 3", **counts)
    journal.write(Line(time=LINE.time, about=LINE.about, event=counted))

    assert [line["event"] for line in lines(path)] == ["replicas"]
    assert calls == ["write"]
    written(journal)
    assert calls == ["write", "write", "sync"]


def test_no_event_that_a_write_follows_or_that_ends_a_run_is_only_seen() -> None:
    seen = {kind_of(event) for event in EVENTS if not event.must_survive}

    assert seen == {
        "cause",
        "health",
        "logs",
        "metric",
        "progress",
        "replicas",
        "sample",
        "workload_checked",
    }


@pytest.mark.usefixtures("descriptors")
def test_a_symlink_is_refused(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("keep")
    (tmp_path / "j").symlink_to(tmp_path / "precious")
    with pytest.raises(JournalError, match="cannot be written"):
        journals.open_explicit(tmp_path / "j")

    assert (tmp_path / "precious").read_text() == "keep"


@pytest.mark.usefixtures("descriptors")
@pytest.mark.parametrize("kind", ["folder", "missing folder", "fifo"])
def test_what_is_no_place_for_a_journal_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "j"
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path = tmp_path / "no" / "j"
    with pytest.raises(JournalError, match="cannot be written") as caught:
        journals.open_explicit(path)

    assert "--journal" in caught.value.remedy


@pytest.mark.usefixtures("descriptors")
def test_a_full_disk_is_an_error_of_the_write() -> None:
    journal = journals.open_explicit(Path("/dev/full"))
    with pytest.raises(JournalError, match="No space left on device"):
        journal.write(LINE)
    journal.close()


@pytest.mark.usefixtures("descriptors")
def test_the_default_lies_in_the_state_folder_of_the_user(tmp_path: Path) -> None:
    home, given = default(tmp_path), default(tmp_path, XDG_STATE_HOME=str(tmp_path / "state"))
    relative = default(tmp_path, XDG_STATE_HOME="state")
    for journal in (home, given, relative):
        written(journal)

    assert home.path == tmp_path / "home/.local/state/backout/journal.jsonl"
    assert given.path == tmp_path / "state/backout/journal.jsonl"
    assert relative.path == home.path
    assert given.note == ""
    assert len(lines(given.path)) == 1
    assert stat.S_IMODE(given.path.parent.stat().st_mode) == 0o700


@pytest.mark.usefixtures("descriptors")
def test_without_a_state_folder_it_lies_in_a_private_temporary_one_and_that_is_said(
    tmp_path: Path,
) -> None:
    (tmp_path / "tmp").mkdir()
    (tmp_path / "home").write_text("a file")
    journal = default(tmp_path)
    written(journal)
    folder = tmp_path / "tmp" / f"backout-{os.getuid()}"

    assert journal.path == folder / "journal.jsonl"
    assert str(journal.path) in journal.note
    assert "cannot be written" in journal.note
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.usefixtures("descriptors")
@pytest.mark.parametrize("hostile", ["symlink", "open to all", "of somebody else", "file inside"])
def test_a_temporary_folder_that_others_may_have_made_is_refused_and_not_written(
    tmp_path: Path, hostile: str
) -> None:
    (tmp_path / "home").write_text("a file")
    folder = tmp_path / "tmp" / f"backout-{os.getuid()}"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    folder.parent.mkdir()
    if hostile == "symlink":
        folder.symlink_to(elsewhere)
    else:
        folder.mkdir(mode=0o700)
    if hostile == "open to all":
        folder.chmod(0o777)
    elif hostile == "of somebody else":
        os.chown(folder, 12345, 12345)
    elif hostile == "file inside":
        (folder / "journal.jsonl").symlink_to(elsewhere / "taken")

    with pytest.raises(JournalError):
        default(tmp_path)

    assert list(elsewhere.iterdir()) == []
    assert [p for p in folder.iterdir() if not p.is_symlink()] == []


@pytest.mark.usefixtures("descriptors")
def test_where_nothing_can_be_written_the_remedy_names_the_option(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    (tmp_path / "tmp").write_text("a file")
    with pytest.raises(JournalError) as caught:
        default(tmp_path)

    assert "--journal" in caught.value.remedy


@pytest.mark.usefixtures("descriptors")
def test_a_file_that_others_may_read_is_made_private_and_that_is_said(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.touch(mode=0o644)
    path.chmod(0o644)
    journal = journals.open_explicit(path)
    written(journal)

    assert "others could read the journal" in journal.note
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.usefixtures("descriptors")
def test_a_file_of_somebody_else_is_not_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "j"
    path.touch()
    monkeypatch.setattr("os.getuid", lambda: 12345)
    with pytest.raises(JournalError, match="belongs to somebody else"):
        journals.open_explicit(path)

    assert path.read_bytes() == b""
