"""Reads a workload and its history for a command that only looks: no session, no journal."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import click

from backout.cli import here
from backout.cli.options import target as targets
from backout.cli.output.printing import request_line, write
from backout.core.errors import Unreachable
from backout.core.preflight import defaults
from backout.core.text import untrusted
from backout.kube.client import Client
from backout.session import connect
from backout.session.ledgers import local_ledger
from backout.steps.ledger.cluster_ledger import ClusterLedger
from backout.steps.reading.look import look_back
from backout.steps.reading.place import Here

if TYPE_CHECKING:
    from backout.cli.options.shared import Common
    from backout.core.preflight.snapshot import Snapshot
    from backout.kube.client import RequestLine
    from backout.steps.store import LedgerStore


def looked_at(words: tuple[str, ...], shared: Common, *, is_local: bool = False) -> Snapshot:
    """Return the workload that the words name, with its history, its Pods and its ledger.

    `is_local`: the ledger is a file of this machine. Raises click.UsageError, and what reading
    raises.
    """
    targets.parse(words, "default")  # a usage error asks nobody
    tell_notes(shared)
    try:
        return asyncio.run(_looked_at(words, shared, is_local=is_local))
    except TimeoutError:
        raise Unreachable(f"time was up after {shared.timeout:g} s (--timeout)") from None


def tell_notes(shared: Common) -> None:
    """Say on stderr which policy files set what, where a command has no events."""
    for note in shared.notes:
        click.echo(f"note: {untrusted(note, 2000)}", err=True)


async def _looked_at(words: tuple[str, ...], shared: Common, *, is_local: bool) -> Snapshot:
    connection = connect.connection(shared.flags, here.process())
    target = targets.parse(words, connection.namespace)
    client = Client(
        connection,
        read_timeout=shared.request_timeout or defaults.READ,
        on_request=_told if shared.verbose else None,
    )
    async with asyncio.timeout(shared.timeout), client:
        ledger: LedgerStore = ClusterLedger(client, target)
        if is_local:
            ledger = local_ledger(connection, target, here.process())
        return await look_back(Here(client=client, target=target), ledger)


def _told(line: RequestLine) -> None:
    write(sys.stderr, request_line(line))
