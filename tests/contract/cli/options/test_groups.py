"""Groups of options: classes that a command receives, and what they come down to by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import pytest
from msgspec.structs import replace

from backout.cli.commands.check import check
from backout.cli.commands.ledger import ledger
from backout.cli.commands.resume import resume
from backout.cli.commands.status import explain, status
from backout.cli.commands.undo import undo
from backout.cli.commands.verify import verify
from backout.cli.options.groups.options import Options, receives
from backout.cli.runs import check_run, mark_run, resume_run, status_run, undo_run, verify_run
from backout.core.preflight.request import Request
from backout.session.services import Services
from backout.steps.run import Limits

if TYPE_CHECKING:
    from types import ModuleType

    from backout.cli.invocation import Invocation

PLAIN = {
    "undo": (undo, undo_run, ["deploy/web"]),
    "resume": (resume, resume_run, ["deploy/web"]),
    "verify": (verify, verify_run, ["deploy/web"]),
    "status": (status, status_run, ["deploy/web"]),
    "explain": (explain, status_run, ["deploy/web"]),
    "check": (check, check_run, ["deploy/web"]),
    "mark": (ledger, mark_run, ["mark", "deploy/web", "--bad", "--reason", "why"]),
}


class Pair(Options, frozen=True, kw_only=True):
    left: int
    right: str

    declared = (
        click.option("--left", type=int, default=1),
        click.option("--right", default=""),
    )


def called(
    command: click.Command, module: ModuleType, words: list[str], patch: pytest.MonkeyPatch
) -> Invocation:
    """Return what the command would carry out."""
    found: list[Invocation] = []
    patch.setattr(module, "run_command", found.append)
    command.main(words, standalone_mode=False)
    return found[0]


def test_a_command_receives_a_group_as_one_value_and_the_rest_as_it_was() -> None:
    @click.command
    @receives(pair=Pair)
    @click.option("--other", default="x")
    def command(**values: Any) -> dict[str, Any]:
        return values

    said = command.main(["--right", "hand"], standalone_mode=False)

    assert said == {"pair": Pair(left=1, right="hand"), "other": "x"}


@pytest.mark.parametrize("group", Options.__subclasses__(), ids=lambda g: g.__name__)
def test_each_field_of_a_group_has_an_option(group: type[Options]) -> None:
    def command(**_: Any) -> None:
        pass

    params = click.command(receives(one=group)(command)).params

    declared_by_commands = {"to_revision"}
    assert {p.name for p in params} == {*group.__struct_fields__} - declared_by_commands


@pytest.mark.parametrize("name", PLAIN)
def test_options_that_nobody_gives_come_down_to_the_defaults(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    command, module, words = PLAIN[name]
    said = called(command, module, words, monkeypatch)

    asked = replace(
        Request(),
        command=said.request.command,
        program=said.request.program,
        baseline=name == "undo",
        reason="why" if name == "mark" else "",
    )
    assert (said.request, said.limits, said.services) == (asked, Limits(), Services())
