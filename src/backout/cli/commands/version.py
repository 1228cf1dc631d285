"""`backout --version`: ours, Python's and the server's."""

from __future__ import annotations

import asyncio
import platform
from typing import TYPE_CHECKING, Any

import click

from backout import __version__
from backout.cli import here
from backout.cli.output.gate import shown
from backout.core.errors import BackoutError
from backout.session import connect

if TYPE_CHECKING:
    from collections.abc import Mapping

PATIENCE = 3.0


def show(values: Mapping[str, Any]) -> None:
    """Print the versions; a server that cannot be asked is said, and is no error."""
    click.echo(f"backout {__version__}")
    click.echo(f"Python {platform.python_version()}")
    click.echo(f"server {_server(values)}")


def _server(values: Mapping[str, Any]) -> str:
    try:
        return asyncio.run(_asked(values))
    except BackoutError as error:
        return f"not asked: {shown(error.message)}"
    except TimeoutError:
        return f"not asked: no answer within {PATIENCE:g} s"


async def _asked(values: Mapping[str, Any]) -> str:
    from backout.kube import paths  # noqa: PLC0415 (not for --help)
    from backout.kube.client import Client  # noqa: PLC0415

    connection = connect.connection(values, here.process())
    async with asyncio.timeout(PATIENCE), Client(connection, read_timeout=PATIENCE) as client:
        told = await client.get(paths.version())
    return f"{shown(str(told.get('gitVersion', 'unknown')))} (context {connection.context})"
