"""The journal: on disk before anything is changed, private, and never lost silently."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cluster.space import Space


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of the test's own without a free byte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "backout-test", disk], check=True)
    try:
        (disk / "state").mkdir()
        fill(disk / "ballast")
        yield disk
    finally:
        subprocess.run(["umount", disk], check=True)


def fill(file: Path) -> None:
    with file.open("wb", buffering=0) as ballast:
        try:
            while True:
                ballast.write(bytes(4096))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise


def good_and_bad(space: Space) -> None:
    space.deploy(space.version("v1"), serve=False)
    space.roll(space.version("missing"))


def test_a_named_journal_on_a_full_disk_stops_everything(space: Space, full_disk: Path) -> None:
    good_and_bad(space)

    ran = space.undo("--journal", str(full_disk / "journal.jsonl")).expect(1)

    assert f"the journal {full_disk}/journal.jsonl cannot be written: No space left" in ran.err
    assert "fix: name another place: --journal PATH" in ran.err or "--journal PATH" in ran.err
    assert "rollback triggered" not in ran.both
    assert space.wrote() == []
    assert space.image_now() == space.image("missing")


def test_the_usual_journal_moves_off_a_full_disk_and_says_so(space: Space, full_disk: Path) -> None:
    good_and_bad(space)

    ran = space.undo(env={"XDG_STATE_HOME": str(full_disk / "state")}).expect(0)

    moved_to = space.folder / "tmp" / f"backout-{os.getuid()}" / "journal.jsonl"
    assert f"cannot be written (No space left on device): the journal is {moved_to}" in ran.err
    assert "triggered" in {line["event"] for line in space.journal_lines(moved_to)}
    assert stat.S_IMODE(moved_to.parent.stat().st_mode) == 0o700


def test_a_journal_in_a_folder_that_is_not_there_stops_everything(space: Space) -> None:
    good_and_bad(space)

    ran = space.undo("--journal", str(space.folder / "nowhere" / "journal.jsonl")).expect(1)

    assert "cannot be written: No such file or directory" in ran.err
    assert space.wrote() == []


def test_the_journal_is_private_and_only_appended_to(space: Space) -> None:
    good_and_bad(space)

    space.undo("--dry-run").expect(0)
    first = space.journal.read_bytes()
    space.undo().expect(0)

    assert stat.S_IMODE(space.journal.stat().st_mode) == 0o600
    assert stat.S_IMODE(space.journal.parent.stat().st_mode) == 0o700
    assert space.journal.read_bytes().startswith(first)


def test_the_journal_tells_the_whole_run(space: Space) -> None:
    good_and_bad(space)
    mine = space.folder / "mine.jsonl"

    space.undo("--journal", str(mine)).expect(0)

    lines = space.journal_lines(mine)
    kinds = [line["event"] for line in lines]
    for earlier, later in (("target", "triggered"), ("triggered", "rolled_out")):
        assert kinds.index(earlier) < kinds.index(later)
    assert (kinds[-1], lines[-1]["exit"]) == ("outcome", 0)
    assert all(line["object"]["namespace"] == space.name for line in lines)
    assert not space.journal.exists()


def test_the_announcement_is_on_disk_before_the_server_has_the_patch(space: Space) -> None:
    good_and_bad(space)

    space.undo().expect(0)

    [announced] = [line for line in space.journal_lines() if line["event"] == "triggered"]
    [patch] = space.audited("patch", "deployments")
    written = datetime.fromisoformat(announced["time"])
    received = datetime.fromisoformat(patch["requestReceivedTimestamp"])
    assert written < received
    # The clocks are one: both moments are of this run.
    assert received - written < timedelta(seconds=30)
    assert datetime.now(tz=UTC) - written < timedelta(minutes=2)


def test_a_refusal_is_in_the_journal_too(space: Space) -> None:
    good_and_bad(space)

    space.undo("--to-revision", "9").expect(3)

    last = space.journal_lines()[-1]
    assert (last["event"], last["result"], last["exit"]) == ("outcome", "refused", 3)
