"""The policy file: precedence, a project's file that only tightens, and every file that is none."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from backout.cli.main import cli
from backout.cli.options.policy_keys import ACCEPT, TIGHTER, options, type_of

if TYPE_CHECKING:
    from tests.contract.api_server import ApiServer
    from tests.contract.cli.command import Command, Finished

DOCS = Path(__file__).parents[4] / "docs"


def written(folder: Path, text: str | bytes, name: str = "policy.toml") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def own(backout: Command, text: str) -> Path:
    """Write the policy file in the user's config folder."""
    return written(backout.home / ".config" / "backout", text)


async def limit_of(backout: Command, *words: str, where: Path | None = None) -> str:
    """Return the limit that is told, by a command that changes nothing."""
    done = await backout("ledger", "deploy/web", *words, cwd=where)
    assert done.code == 0, done.err
    (line,) = [s for s in done.out.splitlines() if s.startswith("limit")]
    found = re.search(r"of (\d+)", line)
    assert found, line
    return found[1]


@pytest.mark.usefixtures("api")
async def test_a_flag_outranks_the_variable_which_outranks_the_file_which_outranks_the_default(
    backout: Command,
) -> None:
    assert await limit_of(backout) == "2"
    own(backout, "rollback_limit = 3")
    assert await limit_of(backout) == "3"
    backout.environment["BACKOUT_ROLLBACK_LIMIT"] = "4"
    assert await limit_of(backout) == "4"
    assert await limit_of(backout, "--rollback-limit", "5") == "5"


@pytest.mark.usefixtures("api")
async def test_the_file_of_the_flag_outranks_that_of_the_variable_which_outranks_the_users(
    backout: Command, tmp_path: Path
) -> None:
    own(backout, "rollback_limit = 3")
    named = str(written(tmp_path, "rollback_limit = 4", "named.toml"))
    other = str(written(tmp_path, "rollback_limit = 5", "other.toml"))

    backout.environment["BACKOUT_POLICY"] = other
    assert await limit_of(backout) == "5"
    assert await limit_of(backout, "--policy", named) == "4"
    before = await backout("--policy", named, "ledger", "deploy/web")
    assert f"note: policy {named}: rollback_limit" in before.lines
    assert await limit_of(backout, "--policy", os.devnull) == "2"
    backout.environment = {"XDG_CONFIG_HOME": str(written(tmp_path / "xdg/backout", "").parents[1])}
    assert await limit_of(backout) == "2"


async def test_the_file_in_use_and_what_it_set_is_a_note(backout: Command, api: ApiServer) -> None:
    path = own(backout, 'output = "json"\nstrict = true\nwait_lock = "1s"\nhealth_timeout = "9s"')
    done = await backout("check", "deploy/web")
    notes = [e["message"] for e in done.events if e["event"] == "note"]

    assert api.requests
    assert f"policy {path}: health_timeout, strict, output" in notes

    (text,) = [s for s in (await backout("check", "deploy/web", "-o", "text")).lines if "note" in s]
    assert text == f"note: policy {path}: health_timeout, strict"


async def test_what_sets_nothing_of_a_command_is_not_told(backout: Command, api: ApiServer) -> None:
    own(backout, "strict = true")
    done = await backout("explain", "deploy/web")

    assert api.requests
    assert "policy" not in done.err


WRONG: dict[str, tuple[str | bytes, str]] = {
    "a key misspelt": ("strikt = true", "there is no key `strikt`: did you mean `strict`?"),
    "a key with dashes": ("rollback-limit = 1", "did you mean `rollback_limit`?"),
    "a key like nothing": ("frog = 1", "there is no key `frog`"),
    "the file itself": ('policy = "x"', "there is no key `policy`"),
    "a flag in words": ('strict = "yes"', "`strict` takes true or false"),
    "a number in words": ('rollback_limit = "2"', "`rollback_limit` takes a whole number"),
    "a truth for a number": ("rollback_limit = true", "`rollback_limit` takes a whole number"),
    "a number out of range": ("rollback_limit = 0", "takes a number from 1 to 50; got '0'"),
    "a time without a unit": ("rollback_window = 3600", "`rollback_window` takes a time span"),
    "a time that is none": (
        'rollback_window = "3x"',
        "takes a time span such as 30s, 5m or 1h; got '3x'",
    ),
    "a string for a list": ('registry_plain_http = "r"', "takes a list of strings"),
    "a list of numbers": ("registry_plain_http = [1]", "takes a list of strings"),
    "a table": ("[strict]\nx = 1", "`strict` takes true or false"),
    "a choice that is none": ('output = "yaml"', "takes text or json; got 'yaml'"),
    "a URL with a password": ('health = ["http://u:pw@x/"]', "`health` cannot be used"),
    "a lease for ever": ('lease_duration = "1h"', "takes 2 s to 10 min"),
    "nobody's home": ('journal = "~no-such-body/j"', "there is no such home folder"),
    "an id that is none": ('[[accept]]\nid = "PF9"\nreason = "r"', "there is no check 'PF9'"),
    "an id that nothing lifts": ('[[accept]]\nid = "PF802"\nreason = "r"', "cannot be accepted"),
    "an id that takes a person": (
        '[[accept]]\nid = "PF116"\nreason = "r"',
        "PF116 takes a person's word each time",
    ),
    "no reason": ('[[accept]]\nid = "PF801"', "takes an `id` and a `reason`"),
    "an empty reason": ('[[accept]]\nid = "PF801"\nreason = " "', "the record keeps the reason"),
    "a reason that is none": ('[[accept]]\nid = "PF801"\nreason = 1', "are strings"),
    "an acceptance until": (
        '[[accept]]\nid = "PF801"\nreason = "r"\nuntil = 2030-01-01',
        "takes an `id` and a `reason`",
    ),
    "ids in a row": ('accept = ["PF801"]', "takes an `id` and a `reason`"),
    "no TOML": ("strict = ", "Invalid value"),
    "a key twice": ("strict = true\nstrict = true", "Cannot overwrite a value"),
    "an escape": ("strict = \x1b[2J", "Invalid value"),
    "deep lists": ("health = " + "[" * 20000, "nested too deeply"),
    "an endless number": ("rollback_limit = " + "9" * 5000, "policy.toml: "),
    "no UTF-8": (b"\xff\xfes", "not UTF-8"),
    "zeros": (b"\0" * 100, "policy.toml: "),
    "too large": (b"#" * (64 * 1024 + 1), "larger than 64 KiB"),
}


def check_is_one_error(done: Finished, *words: str) -> None:
    assert done.code == 1, done.err
    assert done.out == ""
    assert len(done.lines) == 2, done.err
    assert done.lines[0].startswith("ERROR: ")
    assert done.lines[1].startswith("  fix: ")
    assert "\x1b" not in done.err
    assert "pw@" not in done.err
    for word in words:
        assert word in done.lines[0]


@pytest.mark.parametrize(("text", "words"), WRONG.values(), ids=WRONG.keys())
async def test_a_file_that_is_none_is_one_sentence_with_a_remedy_before_anything_is_done(
    backout: Command, text: str | bytes, words: str
) -> None:
    path = written(backout.home, text)
    backout.kubeconfig.unlink()

    check_is_one_error(await backout("undo", "deploy/web", "--policy", str(path)), words, str(path))


async def test_what_is_no_regular_file_is_refused_and_not_waited_for(
    backout: Command, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "loop").symlink_to("loop")
    sparse = tmp_path / "sparse"
    sparse.touch()
    os.truncate(sparse, 100 * 1024 * 1024)
    wrong = {
        "fifo": "no regular file",
        "loop": "too many levels of symbolic links",
        "sparse": "larger than 64 KiB",
        ".": "is a directory",
        "absent": "there is no policy file",
        "/dev/zero": "no regular file",
        "": "is a directory",
        "a" * 300: "file name too long",
    }
    done = await asyncio.gather(
        *(backout("undo", "deploy/web", "--policy", name, cwd=tmp_path) for name in wrong)
    )
    for one, words in zip(done, wrong.values(), strict=True):
        check_is_one_error(one, words)


@pytest.mark.usefixtures("api")
async def test_a_byte_order_mark_and_other_line_ends_are_read(backout: Command) -> None:
    own(backout, "\ufeffrollback_limit = 3\r\n")

    assert await limit_of(backout) == "3"


async def test_help_and_usage_errors_do_not_need_a_sound_policy(backout: Command) -> None:
    own(backout, "frog = 1")

    assert (await backout("undo", "--help")).code == 0
    assert (await backout("--help")).code == 0
    assert (await backout("rbac")).code == 0


@pytest.mark.usefixtures("api")
async def test_a_project_tightens_the_default_and_the_users_policy_but_not_a_flag(
    backout: Command,
) -> None:
    project = backout.home / "src" / "shop"
    written(project.parent, "rollback_limit = 1", "backout.toml")
    project.mkdir()

    assert await limit_of(backout, where=project) == "1"
    own(backout, "rollback_limit = 5")
    assert await limit_of(backout, where=project) == "1"
    assert await limit_of(backout, "--rollback-limit", "4", where=project) == "4"
    written(project, "rollback_limit = 3", "backout.toml")
    assert await limit_of(backout, where=project) == "3"
    own(backout, "rollback_limit = 1")
    written(project, "rollback_limit = 2", "backout.toml")
    assert await limit_of(backout, where=project) == "1"


@pytest.mark.usefixtures("api")
async def test_a_project_above_the_home_folder_is_not_looked_at(
    backout: Command, tmp_path: Path
) -> None:
    written(tmp_path, "frog = 1", "backout.toml")
    home = tmp_path / "home"
    (home / "src").mkdir(parents=True)
    backout.environment["HOME"] = str(home)

    assert await limit_of(backout, where=home / "src") == "2"


LOOSE = {
    "a URL": ('health = "https://evil.example/"', "`health` is not allowed here"),
    "an acceptance": ('[[accept]]\nid = "PF801"\nreason = "r"', "`accept` is not allowed here"),
    "a registry": ('registry_plain_http = ["evil.example"]', "is not allowed here"),
    "a journal": ('journal = "/tmp/x"', "`journal` is not allowed here"),
    "a key that is none": ("frog = 1", "`frog` is not allowed here"),
    "not strict": ("strict = false", "`strict` may only tighten"),
    "health not required": ("require_health = false", "may only tighten"),
    "more rollbacks": ("rollback_limit = 3", "`rollback_limit` may only tighten"),
    "a shorter window": ('rollback_window = "59m"', "`rollback_window` may only tighten"),
    "fewer answers": ("health_successes = 2", "`health_successes` may only tighten"),
    "a wrong type": ("rollback_limit = 1.5", "takes a whole number"),
    "no TOML": ("rollback_limit", "backout.toml: "),
}


@pytest.mark.parametrize(("text", "words"), LOOSE.values(), ids=LOOSE.keys())
async def test_what_a_project_may_not_say_is_refused_by_name_with_its_place(
    backout: Command, text: str, words: str
) -> None:
    path = written(backout.home / "shop", text, "backout.toml")
    done = await backout("undo", "deploy/web", cwd=path.parent)

    check_is_one_error(done, words, str(path))


async def test_a_project_file_that_cannot_be_read_is_an_error_not_a_silence(
    backout: Command,
) -> None:
    place = backout.home / "shop"
    place.mkdir()
    os.mkfifo(place / "backout.toml")

    check_is_one_error(await backout("undo", "deploy/web", cwd=place), "no regular file")


def test_the_page_lists_every_key_with_its_type_and_no_other() -> None:
    page = (DOCS / "policy.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| [^|]+ \|$", page, re.MULTILINE)
    expected = {key: type_of(option) for key, option in options(click.Context(cli)).items()}

    assert {key: kind for key, kind in rows if key != ACCEPT} == expected
    assert ACCEPT in dict(rows)
    assert re.findall(r"^\| `(\w+)` \| [^|]+ \|$", page, re.MULTILINE) == list(TIGHTER)
    assert set(TIGHTER) <= set(expected)
