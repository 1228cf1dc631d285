"""Whether a process is surely dead: only of one of this machine, boot and PID namespace.

A host's name and boot id are shared by containers that do not see each other's processes, and a
number is given to another process in time: without the namespace and the start time nothing is
known, and whoever waits must see the Lease stand still.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

from backout.steps.identity import STARTED, stat

if TYPE_CHECKING:
    from backout.steps.run import Identity


class Whereabouts(Protocol):
    """Where a process ran, and which one it was."""

    @property
    def host(self) -> str: ...  # noqa: D102
    @property
    def boot_id(self) -> str: ...  # noqa: D102
    @property
    def namespace(self) -> str: ...  # noqa: D102
    @property
    def pid(self) -> int: ...  # noqa: D102
    @property
    def started(self) -> str: ...  # noqa: D102


def is_dead(one: Whereabouts, here: Identity) -> bool:
    """Tell whether it certainly runs no more; False where that cannot be told from here."""
    place = (one.host, one.boot_id, one.namespace)
    is_known = all(place) and bool(one.started)
    is_of_here = place == (here.host, here.boot_id, here.namespace)
    return is_known and is_of_here and not _runs(one.pid, one.started)


def _runs(pid: int, began: str) -> bool:
    """Tell whether the process runs; one that nobody has waited for yet is dead.

    In a container whose first process reaps no children the dead keep their pid for ever.
    """
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass  # somebody else's, and there
    fields = stat(pid)
    if len(fields) <= STARTED:
        return True
    return fields[0] not in {"Z", "X"} and fields[STARTED] == began
