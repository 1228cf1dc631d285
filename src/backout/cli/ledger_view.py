"""Reads a workload's ledger and prints it."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from backout.cli import connect
from backout.cli import target as targets
from backout.core import ledger_json, ledger_table
from backout.core.errors import ConfigError
from backout.core.ledger import Ledger, UnreadableLedger
from backout.core.text import untrusted
from backout.kube.client import Client
from backout.steps.read import lease_of

if TYPE_CHECKING:
    from datetime import datetime

    from backout.cli.options import Common

CELL = 60


def show(workload: tuple[str, ...], shared: Common, *, limit: int, window: float) -> int:
    """Print the ledger and the breaker's state; return the exit code. `window` in seconds."""
    targets.parse(workload, "default")
    found, now = asyncio.run(_asked(workload, shared))
    if shared.output == "json":
        for record in json.loads(ledger_json.written(found))["records"]:
            click.echo(json.dumps(record, ensure_ascii=True))
        return 0
    rows = [ledger_table.row(r, now) for r in reversed(found.records)]
    cells = [tuple(untrusted(cell, CELL) for cell in row) for row in rows]
    for line in ledger_table.columns(cells) if cells else ["no rollbacks recorded"]:
        click.echo(line)
    span = timedelta(seconds=window)
    click.echo(ledger_table.breaker_line(found.records, now=now, limit=limit, window=span))
    return 0


async def _asked(workload: tuple[str, ...], shared: Common) -> tuple[Ledger, datetime]:
    connection = connect.connection(vars(shared))
    target = targets.parse(workload, connection.namespace)
    async with Client(connection, read_timeout=shared.request_timeout or 10.0) as client:
        found = ledger_json.read(await lease_of(client, target))
        date = client.server_date
    if isinstance(found, UnreadableLedger) or date is None:
        why = found.why if isinstance(found, UnreadableLedger) else "no Date in the answer"
        raise ConfigError(f"the ledger of {target} cannot be read: {why}")
    return found, date.date
