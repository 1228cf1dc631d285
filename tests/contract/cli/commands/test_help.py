"""Help: short by default, whole on request, every phrase readable alone, and exit 0."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from backout.cli.help.group import COMMANDS
from backout.cli.help.sections import SECTIONS
from backout.cli.main import cli

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST = 15
_OPTION = re.compile(r"^  (-\w, )?--[a-z-]+", re.MULTILINE)


def shown(*words: str) -> str:
    done = CliRunner(catch_exceptions=False).invoke(cli, words, prog_name="backout")
    assert (done.exit_code, done.stderr) == (0, "")
    return done.stdout


def options() -> Iterator[tuple[str, click.Option]]:
    """Give every option of every command that help shows."""
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        for one in command.params:
            if isinstance(one, click.Option) and not one.hidden:
                yield name, one


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_at_most_15_options_and_help_all_every_one(command: str) -> None:
    short, whole = shown(command, "--help"), shown(command, "--help-all")

    assert len(_OPTION.findall(short)) <= MOST
    assert "\\b" not in short + whole
    for name, option in options():
        if name == command:
            assert re.search(rf"(^|\s){max(option.opts, key=len)}\b", whole), option.name


def test_each_option_is_a_sentence_that_can_be_read_alone() -> None:
    fragments = {
        f"{command} {option.opts[-1]}: {option.help}"
        for command, option in options()
        if not re.match(r"[A-Z]\w+ .{8,}[.\]\)]$", option.help or "", re.DOTALL)
        or re.match(r"(Of|And|Its|Why|Until|Only|mark:)\b", option.help or "")
    }

    assert fragments == set()


def test_each_name_of_a_section_is_an_option() -> None:
    there = {option.name for _, option in options()} | {"help", "help_all"}
    named = [name for s in SECTIONS for name in (*s.everyday, *s.more)]

    assert len(named) == len(set(named))
    assert set(named) - there == set()


def test_examples_stand_before_what_explains_and_the_variable_beside_its_option() -> None:
    text = shown("undo", "--help-all")

    assert text.index("Examples:") < text.index("Chooses the newest")
    assert "[env: BACKOUT_HEALTH_SUCCESSES]" in " ".join(text.split())


def test_a_bare_call_and_the_command_help_show_what_the_option_shows() -> None:
    assert shown() == shown("--help") == shown("help")
    assert shown("help", "undo") == shown("undo", "--help")
    assert all(f"  {name} " in shown() for name in COMMANDS)


def test_called_as_a_plugin_it_says_kubectl_backout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["/opt/bin/kubectl-backout"])
    done = CliRunner().invoke(cli, ("undo", "--help"), prog_name="kubectl backout")

    assert done.stdout.startswith("Usage: kubectl backout undo ")
    assert "  kubectl backout undo deploy/web --dry-run" in done.stdout
    assert "  backout undo" not in done.stdout
    script = CliRunner().invoke(cli, ("completion", "bash"), prog_name="kubectl backout").stdout
    assert script.rstrip().endswith(" kubectl-backout")
