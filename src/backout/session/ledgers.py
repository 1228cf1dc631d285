"""The ledger that is a file of this machine, and where it lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.steps.journal.folder import state_folder
from backout.steps.ledger.local_ledger import LocalLedger

if TYPE_CHECKING:
    from backout.core.kinds.target import Target
    from backout.kube.connection import Connection
    from backout.session.process import Process


def local_ledger(connection: Connection, target: Target, process: Process) -> LocalLedger:
    """Return the ledger that is a file of this machine."""
    folder = state_folder(process.environ, process.home)
    return LocalLedger(folder, connection.server, target)
