"""Reads a workload and its history for a command that only looks: no session, no journal."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from backout.cli import here
from backout.cli.options import target as targets
from backout.cli.options.shared import tell_notes
from backout.core.errors import Unreachable
from backout.core.preflight import defaults
from backout.kube.client import Client
from backout.session import connect
from backout.steps.ledger.cluster_ledger import ClusterLedger
from backout.steps.reading.place import Here
from backout.steps.reading.read import look_back

if TYPE_CHECKING:
    from collections.abc import Callable

    from backout.cli.options.shared import Common
    from backout.core.kinds.target import Target
    from backout.core.preflight.snapshot import Snapshot
    from backout.kube.client import RequestLine
    from backout.kube.connection import Connection
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


async def _looked_at(words: tuple[str, ...], shared: Common, *, is_local: bool) -> Snapshot:
    connection = connect.connection(shared.flags, here.process())
    target = targets.parse(words, connection.namespace)
    client = Client(
        connection,
        read_timeout=shared.request_timeout or defaults.READ,
        on_request=_shown() if shared.verbose else None,
    )
    async with asyncio.timeout(shared.timeout), client:
        ledger = _local(connection, target) if is_local else ClusterLedger(client, target)
        return await look_back(Here(client=client, target=target), ledger)


def _local(connection: Connection, target: Target) -> LedgerStore:
    from backout.session import composition  # noqa: PLC0415 (all clients, for this alone)

    return composition.local_ledger(connection, target, here.process())


def _shown() -> Callable[[RequestLine], None]:
    from backout.cli.output.render import JsonLines  # noqa: PLC0415 (only with -v)

    return JsonLines().request
