"""`backout version`: ours, Python's and the server's."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING, Any

import click

from backout import __version__
from backout.cli.help.command import Helped
from backout.cli.options.shared import common

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backout.cli.options.shared import Common

PATIENCE = 2.0
"""Seconds in which the server must have answered."""


@click.command(cls=Helped)
@click.option("--client", is_flag=True, help="Show the client's version alone, and ask nobody.")
@common
def version(*, client: bool, shared: Common) -> int:
    """Show the versions of backout and of the server, which is given 2 s to answer.

    A server that cannot be asked is told, and is no error.

    \b
    Examples:
      backout version
      backout version --client
      backout version -o json
    """  # noqa: D301 (\b is click's mark for a paragraph that is not wrapped)
    told: dict[str, Any] = {"client": {"version": __version__, "python": platform.python_version()}}
    if not client:
        told |= _server(shared.flags)
    if shared.output == "json":
        from backout.cli.output.render import json_line  # noqa: PLC0415 (only for that)

        click.echo(json_line(told))
        return 0
    click.echo(f"backout {__version__}")
    click.echo(f"Python {told['client']['python']}")
    if not client:
        click.echo(f"server {_words(told)}")
    return 0


def _words(told: Mapping[str, Any]) -> str:
    if told["server"] is None:
        return f"not asked: {told['error']}"
    return f"{told['server']['version']} (context {told['server']['context']})"


def _server(flags: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the server is, or why it could not be asked."""
    import asyncio  # noqa: PLC0415 (not for --help)

    from backout.cli.output.gate import shown  # noqa: PLC0415
    from backout.core.errors import BackoutError  # noqa: PLC0415

    try:
        return {"server": asyncio.run(_asked(flags))}
    except BackoutError as error:
        return {"server": None, "error": shown(error.message)}
    except TimeoutError:
        return {"server": None, "error": f"no answer within {PATIENCE:g} s"}


async def _asked(flags: Mapping[str, Any]) -> dict[str, str]:
    import asyncio  # noqa: PLC0415 (not for --help)

    from backout.cli import here  # noqa: PLC0415
    from backout.cli.output.gate import shown  # noqa: PLC0415
    from backout.kube import paths  # noqa: PLC0415
    from backout.kube.client import Client  # noqa: PLC0415
    from backout.session import connect  # noqa: PLC0415

    connection = connect.connection(flags, here.process())
    async with asyncio.timeout(PATIENCE), Client(connection, read_timeout=PATIENCE) as client:
        told = await client.get(paths.version())
    return {
        "version": shown(str(told.get("gitVersion", "unknown"))),
        "context": shown(connection.context),
    }
