"""Where the journal lies: XDG's state folder on Linux, Application Support on macOS."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from backout.steps.journal.folder import state_folder
from backout.steps.journal.journal import open_default

if TYPE_CHECKING:
    from pathlib import Path

LINUX = ".local/state/backout"
MAC = "Library/Application Support/backout"


@pytest.mark.parametrize(
    ("platform", "state", "expected"),
    [
        ("linux", None, f"HOME/{LINUX}"),
        ("linux", "", f"HOME/{LINUX}"),
        ("linux", "relative/state", f"HOME/{LINUX}"),
        ("linux", "~/state", f"HOME/{LINUX}"),
        ("linux", "TMP/state", "TMP/state/backout"),
        ("linux", "TMP/with blank/", "TMP/with blank/backout"),
        ("darwin", None, f"HOME/{MAC}"),
        ("darwin", "TMP/state", f"HOME/{MAC}"),
        ("darwin", "relative/state", f"HOME/{MAC}"),
    ],
)
def test_the_journal_lies_in_the_platforms_state_folder(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    platform: str,
    state: str | None,
    expected: str,
) -> None:
    def placed(text: str) -> str:
        return text.replace("HOME", str(tmp_path / "home")).replace("TMP", str(tmp_path))

    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.chdir(tmp_path)
    environ = {} if state is None else {"XDG_STATE_HOME": placed(state)}
    journal = open_default(environ, tmp_path / "home", lambda: tmp_path / "temporary")
    journal.close()

    assert str(state_folder(environ, tmp_path / "home")) == placed(expected)
    assert str(journal.path) == placed(f"{expected}/journal.jsonl")
    assert journal.path.stat().st_mode & 0o777 == 0o600
    assert journal.path.parent.stat().st_mode & 0o777 == 0o700
    assert journal.note == ""
    assert not (tmp_path / "relative").exists()
