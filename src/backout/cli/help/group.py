"""The program's own help: what it does, what is typed most, and its commands by what they are for.

Nothing of a command is loaded for it: what each does in a line stands here.
"""

from __future__ import annotations

from importlib import import_module
from typing import NamedTuple

import click

from backout.cli.help.command import Helped
from backout.core.neighbours import nearest


class Listed(NamedTuple):
    """A command: the module that has it, and what it does in a line."""

    module: str
    line: str


GROUPS: dict[str, dict[str, Listed]] = {
    "Roll back": {
        "undo": Listed("undo", "Roll a workload back, and verify that it recovered."),
        "resume": Listed("resume", "Settle a rollback that was left open, and go on with it."),
    },
    "Look first": {
        "check": Listed("check", "Could a workload be rolled back? Change nothing."),
        "history": Listed("history", "List the revisions, and where undo would go."),
        "diff": Listed("diff", "Show what an undo would change in the Pod template."),
    },
    "After a deploy": {
        "status": Listed("status", "Watch the current rollout to a verdict."),
        "verify": Listed("verify", "Verify a deploy and remember that it was healthy."),
        "explain": Listed("status", "Say what is wrong with a workload now."),
    },
    "Records": {
        "ledger": Listed("ledger", "Show past rollbacks, or mark a revision."),
        "report": Listed("report", "Tell an incident on one page."),
    },
    "Set up": {
        "rbac": Listed("rbac", "Print the Role that a command needs."),
        "completion": Listed("completion", "Print the completion script for a shell."),
        "version": Listed("version", "Show the versions of backout and of the server."),
        "help": Listed("help", "Show the help of a command."),
    },
}
COMMANDS = {name: entry for group in GROUPS.values() for name, entry in group.items()}
"""Each command by its name; its module is loaded only for it."""
MEANT = {"rollback": "undo", "revert": "undo", "rollout": "undo"}
"""What people type who know another tool, and the command that does it."""


class Commands(Helped, click.Group):
    """The group of all commands."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted(COMMANDS)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        """Return a command, loaded at this moment."""
        if name not in COMMANDS:
            return None
        command = getattr(import_module(f"backout.cli.commands.{COMMANDS[name].module}"), name)
        return command if isinstance(command, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the first word names; a usage error with its neighbour."""
        if args[0] not in COMMANDS and not ctx.resilient_parsing and args[0][:1] != "-":
            raise click.UsageError(unknown(args[0]), ctx)
        return super().resolve_command(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands by group, and the everyday options."""
        width = max(map(len, COMMANDS))
        for title, commands in GROUPS.items():
            with formatter.section(title):
                rows = [(name.ljust(width), entry.line) for name, entry in commands.items()]
                formatter.write_dl(rows)
        Helped.format_options(self, ctx, formatter)


def unknown(name: str) -> str:
    """Return the words for a command that does not exist, with the one that may be meant."""
    near = nearest(name, (*COMMANDS, *MEANT))
    hint = f": did you mean '{MEANT.get(near, near)}'?" if near else "; --help lists the commands"
    return f"there is no command '{name[:40]}'{hint}"
