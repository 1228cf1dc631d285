"""No secret is found in anything that leaves: on no stream, in no file, nowhere in the cluster."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import click
import pytest

from backout.cli.help.group import COMMANDS
from backout.cli.main import cli
from tests.contract.cli import command as commands
from tests.contract.cli.secrets.leaking import PARTS
from tests.contract.cli.secrets.planted import PLACES, World, proxied, words, world

if TYPE_CHECKING:
    from tests.contract.cli.command import Command

pytestmark = pytest.mark.slow
LEAKING = str(Path(__file__).with_name("leaking.py"))
WEB = ("deploy/web",)
QUICK = ("--timeout", "20s", "--patience", "1s", "--fail-fast")
ASKED: dict[str, tuple[tuple[str, ...], ...]] = {
    "explain": (WEB, (*WEB, "-o", "json")),
    "check": (WEB, (*WEB, "-o", "json", "-v"), ("--all",), ("--all", "-o", "html")),
    "status": ((*WEB, *QUICK, "-v"), (*WEB, *QUICK, "-o", "json")),
    "undo": (
        (*WEB, *QUICK, "--dry-run"),
        (*WEB, *QUICK, "--health-timeout", "1s", "-o", "json"),
        (*WEB, *QUICK, "-v"),
    ),
    "resume": (WEB,),
    "verify": ((*WEB, *QUICK, "--health-timeout", "1s"),),
    "ledger": (WEB, ("--all-namespaces",)),
    "report": ((), ("-o", "html"), ("-o", "json")),
    "history": (
        WEB,
        *((*WEB, "-o", form) for form in ("wide", "json", "yaml", "name")),
        (*WEB, "--revision", "1"),
        (*WEB, "--revision", "2", "-o", "json"),
    ),
    "diff": (
        (*WEB, "--to-revision", "1"),
        (*WEB, "--from", "1", "--to-revision", "2", "-o", "json", "-v"),
        (*WEB, "--from", "1", "--to-revision", "2", "-o", "patch"),
    ),
    "rbac": ((),),
    "completion": (("bash",),),
    "version": ((), ("-o", "json")),
    "help": ((),),
}
"""How each command is run; a new one is added here, too."""
FREE = {"CMD", "TEXT", "URL", "URL|PATH", "'EXPR OP NUMBER'"}
"""Metavars of options that take any text: what they were given may be told again."""
GIVEN = {
    *("--health", "--health-command", "--metric", "--notify", "--prometheus", "--reason"),
    *("--server", "--proxy-url"),
    "--health-text",  # is held against the answer, and never told
}
HEALTH = {"undo", "check", "verify"}
REASONED = {"undo", "verify"}


def test_each_command_is_asked() -> None:
    assert set(COMMANDS) == set(ASKED)


def test_each_option_that_takes_any_text_is_planted() -> None:
    context = click.Context(cli)
    found = [cli.get_command(context, name) for name in COMMANDS]
    options = {o for one in found if one is not None for o in one.params if o.metavar in FREE}

    assert {o.opts[-1] for o in options} == GIVEN


async def test_no_secret_leaves(backout: Command) -> None:
    async with world(backout) as here:
        told: dict[str, str] = {}
        for name, lines in ASKED.items():
            for line in lines:
                told |= await _ran(backout, here, name, *line)
        told |= await _ran(backout, here, "explain", *WEB, "-v", more=proxied(here))
        told |= here.stored | _files(backout)

    assert here.planted == set(PLACES)
    assert _found(told) == {}
    assert "***" in told["Lease"]
    assert told["notification"]


@pytest.mark.parametrize("part", PARTS)
async def test_a_part_of_the_gate_that_is_switched_off_is_seen(
    backout: Command, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    monkeypatch.setattr(commands, "COMMAND", (sys.executable, LEAKING, part))
    monkeypatch.setattr(commands.Command, "_can_be_forked", False)
    async with world(backout) as here:
        told = await _ran(backout, here, "undo", *WEB, *QUICK, "--health-timeout", "1s", "-v")
        told |= await _ran(backout, here, "ledger", *WEB)
        told |= here.stored | _files(backout)

    assert _found(told) != {}


async def _ran(
    backout: Command, here: World, name: str, *line: str, more: tuple[str, ...] = ()
) -> dict[str, str]:
    """Run a command, with words that hold secrets; return what it said on each stream."""
    given = words(here) if name in HEALTH else ()
    if name not in REASONED:
        given = given[:-2]
    if name == "check":
        given = tuple(w for i, w in enumerate(given) if not _is_metric(given, i))
    ran = await backout(name, *line, *given, *more)
    shown = f"{name} {' '.join((*line, *more[:1]))}"
    assert ran.code != 2, ran.err
    return {f"{shown}: stdout": ran.out, f"{shown}: stderr": ran.err}


def _is_metric(given: tuple[str, ...], place: int) -> bool:
    return "--metric" in given[max(0, place - 1) : place + 1]


def _files(backout: Command) -> dict[str, str]:
    """Return what lies in the home, but for the files that were given."""
    return {
        str(path): path.read_text(errors="replace")
        for path in backout.home.rglob("*")
        if path.is_file() and path.suffix != ".given" and path != backout.kubeconfig
    }


def _found(told: dict[str, str]) -> dict[str, list[str]]:
    """Return the places whose secrets are found, by where."""
    found = {
        where: [place for place, secret in PLACES.items() if _has(text, secret)]
        for where, text in told.items()
    }
    return {where: places for where, places in found.items() if places}


def _has(text: str, secret: str) -> bool:
    return secret in text or quote(secret, safe="") in text
