"""The command `backout`, also reached as `kubectl backout`."""

from __future__ import annotations

import io
import os
import sys
from importlib import import_module
from typing import Any

import click

from backout.cli import exit_codes
from backout.cli.options.shared import common, given
from backout.cli.output.streams import leave, prepare_streams
from backout.cli.program import COMPLETING, PROGRAM
from backout.core.errors import BackoutError

COMMANDS = {
    "undo": "undo",
    "history": "history",
    "diff": "diff",
    "check": "check",
    "status": "status",
    "verify": "verify",
    "explain": "status",
    "resume": "resume",
    "ledger": "ledger",
    "rbac": "rbac",
    "report": "report",
    "completion": "completion",
}
"""Each command and its module, which is loaded only for it and for what lists them all."""


class _Commands(click.Group):
    def list_commands(self, _ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command = getattr(import_module(f"backout.cli.commands.{COMMANDS[name]}"), name)
        return command if isinstance(command, click.Command) else None


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--version", is_flag=True, help="Show the versions: ours, Python's, the server's.")
@common
@click.pass_context
def cli(ctx: click.Context, /, *, version: bool, **values: Any) -> None:
    """Roll a Kubernetes workload back to a revision proven to work, and prove that it did.

    Exit codes: 0 rolled back, 1 error before anything was sent, 2 usage, 3 refused and nothing
    changed, 4 changed and failed or unhealthy, 5 undecided, 130 and 143 interrupted.
    """
    ctx.obj = given(ctx, values)
    if version:
        from backout.cli.commands.version import show  # noqa: PLC0415 (it asks the server)

        show(values)
        ctx.exit()
    if ctx.invoked_subcommand is None:
        raise click.UsageError("name a command; see --help", ctx)


def main() -> None:
    """Run the command line; errors end in one sentence and the right exit code."""
    prepare_streams()
    if COMPLETING in os.environ:
        import_module("backout.cli.commands.completion")  # what click shall complete with
    arguments = ["--dry-run=server" if a == "--dry-run" else a for a in sys.argv[1:]]
    try:
        code = cli.main(arguments, prog_name=PROGRAM, standalone_mode=False)
    except click.UsageError as error:
        _show(error)
        code = exit_codes.USAGE
    except click.exceptions.Exit as error:
        code = error.exit_code
    except click.Abort:
        code = 130
    except click.ClickException as error:
        _show(error)
        code = exit_codes.ERROR
    except BackoutError as error:
        _tell(error)
        code = exit_codes.ERROR
    leave(code)


def _show(error: click.ClickException) -> None:
    """Show what click says, without the secrets that it may quote."""
    from backout.cli.output.gate import MASK  # noqa: PLC0415 (not for --help)

    said = io.StringIO()
    error.show(file=said)
    click.echo(MASK.text(said.getvalue()), err=True, nl=False)


def _tell(error: BackoutError) -> None:
    """Say what stopped the program before it had anybody to tell it for it."""
    from backout.cli.output.gate import shown  # noqa: PLC0415 (not for --help)

    click.echo(f"ERROR: {shown(error.message, 1000)}", err=True)
    if error.remedy:
        click.echo(f"  remedy: {shown(error.remedy, 1000)}", err=True)
