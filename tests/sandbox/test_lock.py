from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.errors import SandboxError
from sandbox.machine.lock import locked

if TYPE_CHECKING:
    from pathlib import Path


def test_a_second_one_waits_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (
        locked(tmp_path, "up"),
        pytest.raises(SandboxError, match="Another up has held"),
        locked(tmp_path, "up", seconds=0.3),
    ):
        pass
    assert "waiting for another up to end" in capsys.readouterr().err


def test_the_lock_is_free_afterwards(tmp_path: Path) -> None:
    for _ in range(2):
        with locked(tmp_path, "up", seconds=0):
            pass


def test_a_folder_that_was_removed_under_the_lock_is_made_again(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    with locked(folder, "down"):
        folder.rmdir()
        with locked(folder, "up", seconds=0):
            assert folder.is_dir()
