"""Carries `backout version` out."""

from __future__ import annotations

import asyncio
import platform
from typing import TYPE_CHECKING, Any

import click

from backout import __version__
from backout.cli import here
from backout.cli.output.gate import shown
from backout.cli.output.printing import json_line
from backout.core.errors import BackoutError
from backout.kube import paths
from backout.kube.client import Client
from backout.session import connect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backout.cli.options.shared import Common

PATIENCE = 2.0
"""Seconds in which the server must have answered."""


def run(shared: Common, *, asks: bool) -> int:
    """Return the exit code; `asks`: the server, too."""
    told: dict[str, Any] = {"client": {"version": __version__, "python": platform.python_version()}}
    if asks:
        told |= _server(shared.flags)
    if shared.output == "json":
        click.echo(json_line(told))
        return 0
    click.echo(f"backout {__version__}")
    click.echo(f"Python {told['client']['python']}")
    if asks:
        click.echo(f"server {_words(told)}")
    return 0


def _words(told: Mapping[str, Any]) -> str:
    if told["server"] is None:
        return f"not asked: {told['error']}"
    return f"{told['server']['version']} (context {told['server']['context']})"


def _server(flags: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the server is, or why it could not be asked."""
    try:
        return {"server": asyncio.run(_asked(flags))}
    except BackoutError as error:
        return {"server": None, "error": shown(error.message)}
    except TimeoutError:
        return {"server": None, "error": f"no answer within {PATIENCE:g} s"}


async def _asked(flags: Mapping[str, Any]) -> dict[str, str]:
    connection = connect.connection(flags, here.process())
    async with asyncio.timeout(PATIENCE), Client(connection, read_timeout=PATIENCE) as client:
        told = await client.get(paths.version())
    return {
        "version": shown(str(told.get("gitVersion", "unknown"))),
        "context": shown(connection.context),
    }
