"""Reads a workload and its history for a command that only looks: no session, no journal."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import TYPE_CHECKING, Any, TypeVar

import click

from backout.cli import here
from backout.cli.interruption import Interruption
from backout.cli.options import target as targets
from backout.cli.output.gate import MASK, shown
from backout.cli.output.printing import request_line, write
from backout.core.errors import Unreachable
from backout.core.preflight import defaults
from backout.core.text import untrusted
from backout.kube.client import Client
from backout.kube.credentials.exec_plugin import Surroundings
from backout.session import connect
from backout.session.ledgers import local_ledger
from backout.steps.ledger.cluster_ledger import ClusterLedger
from backout.steps.reading.look import look_back
from backout.steps.reading.place import Here

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from backout.cli.options.shared import Common
    from backout.core.kinds.target import Target
    from backout.core.preflight.snapshot import Snapshot
    from backout.kube.client import RequestLine
    from backout.kube.connection import Connection
    from backout.steps.store import LedgerStore

Found = TypeVar("Found")


def looked_at(words: tuple[str, ...], shared: Common, *, is_local: bool = False) -> Snapshot:
    """Return the workload that the words name, with its history, its Pods and its ledger.

    `is_local`: the ledger is a file of this machine. Raises click.UsageError, and what reading
    raises.
    """
    targets.parse(words, "default")  # a usage error asks nobody
    tell_notes(shared)
    return run(_looked_at(words, shared, is_local=is_local), shared)


def run(work: Coroutine[Any, Any, Found], shared: Common) -> Found:
    """Return what the work finds; an interruption leaves no credential plugin behind.

    Raises Unreachable where it takes longer than `--timeout`.
    """
    interruption = Interruption(twice=b"")
    try:
        return asyncio.run(_within(shared.timeout, work, interruption))
    except TimeoutError:
        raise Unreachable(f"time was up after {shared.timeout:g} s (--timeout)") from None
    except asyncio.CancelledError:
        click.echo("ERROR: interrupted: nothing was changed", err=True)
        raise click.exceptions.Exit(128 + (interruption.received or signal.SIGINT)) from None
    finally:
        interruption.forget()


def client_of(connection: Connection, shared: Common) -> Client:
    """Return the client of a command without events: what it says goes to stderr."""
    return Client(
        connection,
        read_timeout=shared.request_timeout or defaults.READ,
        on_request=_told if shared.verbose else None,
        around=Surroundings(
            terminal=here.process().has_terminal,
            say=lambda text: click.echo(f"note: {shown(text)}", err=True),
            learn=MASK.learn,
        ),
    )


def tell_notes(shared: Common) -> None:
    """Say on stderr which policy files set what, where a command has no events."""
    for note in shared.notes:
        click.echo(f"note: {untrusted(note, 2000)}", err=True)


async def _looked_at(words: tuple[str, ...], shared: Common, *, is_local: bool) -> Snapshot:
    connection = connect.connection(shared.flags, here.process())
    target = targets.parse(words, connection.namespace)
    async with client_of(connection, shared) as client:
        ledger = ledger_of(client, connection, target, is_local=is_local)
        return await look_back(Here(client=client, target=target), ledger)


def ledger_of(
    client: Client, connection: Connection, target: Target, *, is_local: bool
) -> LedgerStore:
    """Return where the ledger is kept: in the cluster, or in a file of this machine."""
    if is_local:
        return local_ledger(connection, target, here.process())
    return ClusterLedger(client, target)


async def _within(
    seconds: float | None, work: Coroutine[Any, Any, Found], interruption: Interruption
) -> Found:
    interruption.watch()
    async with asyncio.timeout(seconds):
        return await work


def _told(line: RequestLine) -> None:
    write(sys.stderr, request_line(line))
