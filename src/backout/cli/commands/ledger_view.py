"""Reads a workload's ledger and prints it."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import click

from backout.cli import here
from backout.cli.options import target as targets
from backout.cli.options.shared import tell_notes
from backout.cli.output.gate import shown
from backout.cli.output.render import json_line
from backout.core.columns import columns
from backout.core.errors import ConfigError
from backout.core.ledger import breaker, form, memory, table
from backout.core.ledger.breaker import Open
from backout.core.ledger.records import Ledger, UnreadableLedger
from backout.kube.client import Client
from backout.session import composition, connect
from backout.steps.ledger.cluster_ledger import ClusterLedger

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from backout.cli.options.shared import Common

CELL = 60
LINE = 200


def show(
    workload: tuple[str, ...], shared: Common, *, limit: int, window: timedelta, is_local: bool
) -> int:
    """Print the ledger, the memory and the breaker's state; return the exit code."""
    targets.parse(workload, "default")
    tell_notes(shared)
    found, now = asyncio.run(_asked(workload, shared, is_local=is_local))
    state = breaker.judge(found.records, now=now, limit=limit, window=window)
    if shared.output == "json":
        _print_json(found, state)
        return 0
    rows = [table.row(r, now) for r in reversed(found.records)]
    cells = [tuple(shown(cell, CELL) for cell in row) for row in rows]
    for line in columns(table.HEADER, cells) if cells else ["no rollbacks recorded"]:
        click.echo(line)
    for line in table.memory_lines(found, now):
        click.echo(shown(line, LINE))
    click.echo(table.breaker_line(state, now=now, limit=limit, window=window))
    return 0


def _print_json(found: Ledger, state: breaker.Closed | Open) -> None:
    content = json.loads(form.written(found))
    for record in content["records"]:
        click.echo(json_line(record))
    until = f"{state.until:%Y-%m-%dT%H:%M:%SZ}" if isinstance(state, Open) else None
    told = {"open": until is not None, "until": until, "counted": [r.op for r in state.counted]}
    bad = sorted(memory.known_bad(found))
    good = sorted(memory.known_good(found))
    last = {"memory": content["memory"], "knownBad": bad, "knownGood": good, "breaker": told}
    click.echo(json_line(last))


async def _asked(
    workload: tuple[str, ...], shared: Common, *, is_local: bool
) -> tuple[Ledger, datetime]:
    process = here.process()
    connection = connect.connection(vars(shared), process)
    target = targets.parse(workload, connection.namespace)
    async with Client(connection, read_timeout=shared.request_timeout or 10.0) as client:
        lease = await ClusterLedger(client, target).read()
        now = client.now()
    if is_local:
        lease = await composition.local_ledger(connection, target, process).read()
    found = form.read(lease)
    if isinstance(found, UnreadableLedger):
        raise ConfigError(
            f"the ledger of {target} cannot be read: {found.why}",
            remedy="use the backout that wrote it, or look at the Lease's annotation "
            "backout.dev/ledger",
        )
    return found, now
