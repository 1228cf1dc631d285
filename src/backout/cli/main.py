"""The command `backout`, also reached as `kubectl backout`."""

from __future__ import annotations

import io
import os
import sys
from importlib import import_module
from typing import Any

import click

from backout import __version__
from backout.cli import exit_codes
from backout.cli.help.command import WIDTH
from backout.cli.help.group import Commands
from backout.cli.options.shared import before, given
from backout.cli.output.streams import leave, prepare_streams, width_of
from backout.cli.program import COMPLETING, program
from backout.core.errors import BackoutError


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": WIDTH},
)
@click.option("--version", is_flag=True, help="Show the version of backout and exit.")
@before
@click.pass_context
def cli(ctx: click.Context, /, *, version: bool, **values: Any) -> None:
    """Roll a Kubernetes workload back to a revision proven to work, and prove that it did.

    \b
    Examples:
      backout undo deploy/web
      backout check deploy/web
      backout history deploy/web -n shop

    Exit codes: 0 rolled back, 1 error before anything was sent, 2 usage, 3 refused and nothing
    changed, 4 changed and failed or unhealthy, 5 undecided, 130 and 143 interrupted.
    """  # noqa: D301 (\b is click's mark for a paragraph that is not wrapped)
    ctx.obj = given(ctx, values)
    if version:
        click.echo(f"backout {__version__}")
        ctx.exit()
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help(), color=ctx.color)


def main() -> None:
    """Run the command line; errors end in one sentence and the right exit code."""
    prepare_streams()
    if COMPLETING in os.environ:
        cli.get_command(click.Context(cli), "completion")  # has what click shall complete with
    try:
        code = cli.main(prog_name=program(), complete_var=COMPLETING, standalone_mode=False)
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
    said = io.StringIO()
    error.show(file=said)
    for line in _output("gate").MASK.text(said.getvalue()).splitlines():
        _print_wrapped(line, indent=0)


def _tell(error: BackoutError) -> None:
    """Say what stopped the program before it had anybody to tell it for it."""
    masked = _output("gate").MASK.text
    _print_wrapped(f"ERROR: {masked(error.message)}", indent=0)
    if error.remedy:
        _print_wrapped(f"fix: {masked(error.remedy)}", indent=2)


def _print_wrapped(text: str, *, indent: int) -> None:
    layout = _output("words.layout")
    for line in layout.laid_out(layout.Shown(text, indent=indent), width_of(sys.stderr)):
        click.echo(line, err=True)


def _output(name: str) -> Any:
    """Return what masks secrets, or lays lines out: not loaded for what only shows help."""
    return import_module(f"backout.cli.output.{name}")
