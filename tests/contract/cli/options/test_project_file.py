"""A `backout.toml` of the working directory: a stranger's stops nobody, and nobody's is lost."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from backout.cli.options.project_file import NAME, distrust, nearest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract.cli.command import Command

ME, ROOT, OWNER, STRANGER = 1000, 0, 1001, 1234
REGULAR, LINK = 0o100_000, 0o120_000
needs_chown = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


def status(owner: int, mode: int) -> os.stat_result:
    return os.stat_result((mode, 1, 1, 1, owner, owner, 0, 0, 0, 0))


@pytest.mark.parametrize(
    ("owner", "mode", "why"),
    [
        (ME, REGULAR | 0o644, ""),
        (ROOT, REGULAR | 0o644, ""),
        (OWNER, REGULAR | 0o664, ""),
        (OWNER, LINK | 0o777, ""),
        (STRANGER, REGULAR | 0o644, "it belongs to user 1234"),
        (STRANGER, LINK | 0o777, "it belongs to user 1234"),
        (ME, REGULAR | 0o666, "every user of this machine can change it"),
        (ROOT, REGULAR | 0o602, "every user of this machine can change it"),
    ],
)
def test_a_file_is_heeded_by_its_owner_and_by_who_can_change_it(
    owner: int, mode: int, why: str
) -> None:
    said = distrust(status(owner, mode), {ME, ROOT, OWNER})

    assert said.startswith(why) if why else said == ""


def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: int | None = None) -> Path:
    """Return a working directory two folders below the temporary one, without a home folder."""
    here = tmp_path / "shop" / "deploy"
    here.mkdir(parents=True)
    if owner is not None:
        os.chown(here, owner, owner)
    monkeypatch.chdir(here)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return here


def left(path: Path, owner: int, text: str = "frog = 1", mode: int = 0o644) -> Path:
    path.write_text(text)
    path.chmod(mode)
    os.chown(path, owner, owner)
    return path


@needs_chown
def test_a_strangers_file_is_passed_over_and_the_next_above_it_is_heeded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = place(tmp_path, monkeypatch)
    mine = left(tmp_path / NAME, 0, "strict = true")
    stranger = left(here.parent / NAME, STRANGER)

    found = nearest(None)

    assert (found.path, found.content) == (mine, {"strict": True})
    (why,) = found.ignored
    assert why.startswith(f"policy {stranger} is ignored: it belongs to user 1234")


@needs_chown
@pytest.mark.parametrize("kind", ["unreadable TOML", "FIFO", "link to a file of root's", "folder"])
def test_what_a_stranger_left_stops_nobody_whatever_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    path = place(tmp_path, monkeypatch).parent / NAME
    match kind:
        case "FIFO":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "link to a file of root's":
            path.symlink_to(left(tmp_path / "strict.toml", 0, "strict = true"))
        case _:
            path.write_text("= = =")
    os.chown(path, STRANGER, STRANGER, follow_symlinks=False)

    found = nearest(None)

    assert found.path is None
    assert len(found.ignored) == 1


@needs_chown
def test_a_link_of_ones_own_is_followed_but_not_to_a_strangers_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = place(tmp_path, monkeypatch)
    (here / NAME).symlink_to(left(tmp_path / "a.toml", STRANGER))
    (here.parent / NAME).symlink_to(left(tmp_path / "b.toml", 0, "strict = true"))

    found = nearest(None)

    assert found.content == {"strict": True}
    assert len(found.ignored) == 1


@needs_chown
def test_the_owner_of_the_checkout_is_heeded_in_his_checkout_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = place(tmp_path, monkeypatch, OWNER)
    left(here.parent / NAME, OWNER, "strict = true")

    assert nearest(None).content == {"strict": True}
    os.chown(here, 0, 0)
    assert nearest(None).content is None


@pytest.mark.usefixtures("api")
async def test_what_is_ignored_is_said_once_unless_the_user_names_it(backout: Command) -> None:
    path = backout.home / NAME
    path.write_text("rollback_limit = 1")
    path.chmod(0o666)

    done = await backout("ledger", "deploy/web", cwd=backout.home)
    named = await backout("ledger", "deploy/web", "--policy", str(path), cwd=backout.home)

    assert done.code == 0
    assert [line for line in done.lines if NAME in line] == [
        f"note: policy {path} is ignored: every user of this machine can change it (chmod o-w)"
    ]
    assert "of 2" in done.out
    assert "is ignored" not in named.err
    assert "of 1" in named.out
