"""`backout help [COMMAND]`."""

from __future__ import annotations

import click

from backout.cli.help.command import WIDTH, Helped
from backout.cli.help.group import COMMANDS, unknown


@click.command(cls=Helped)
@click.argument("name", required=False, metavar="[COMMAND]")
@click.pass_context
def help(ctx: click.Context, /, name: str | None) -> None:  # noqa: A001 (what the user types)
    """Show the help of a command, or of the program.

    \b
    Examples:
      backout help
      backout help undo
    """  # noqa: D301 (\b is click's mark for a paragraph that is not wrapped)
    root = ctx.find_root()
    group = root.command
    if name is None or not isinstance(group, click.Group):
        click.echo(root.get_help(), color=ctx.color)
        return
    command = group.get_command(root, name) if name in COMMANDS else None
    if command is None:
        raise click.UsageError(unknown(name), ctx)
    with click.Context(command, info_name=name, parent=root, max_content_width=WIDTH) as its:
        click.echo(its.get_help(), color=ctx.color)
