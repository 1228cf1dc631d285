"""A child process of ours: no exception, at whatever moment, leaves it or its children behind."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
    from typing import Any


@asynccontextmanager
async def child(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    stdin: int | None,
    stderr: int | None,
    own_group: bool,
) -> AsyncIterator[Process]:
    """Start the command, its stdout a pipe; after the block our ends are closed and it is reaped.

    An exception in the block, a cancellation above all, kills it first, and its whole group if
    that is its own. Without one the block has seen it end: what then still runs of its group is
    the caller's to end (`kill_group`). Raises OSError if it cannot be started.
    """
    process = await _started(
        asyncio.create_subprocess_exec(
            *command,
            stdin=stdin,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
            env=dict(environment),
            start_new_session=own_group,
        ),
        own_group=own_group,
    )
    try:
        yield process
    except BaseException:
        _kill(process, own_group=own_group)
        raise
    finally:
        await _reap(process)


def kill_group(process: Process) -> None:
    """Kill what is left of the group that it leads."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


async def _started(starting: Coroutine[Any, Any, Process], *, own_group: bool) -> Process:
    """Wait for the start; interrupted meanwhile, asyncio would kill the child but not its own."""
    start = asyncio.ensure_future(starting)
    try:
        return await asyncio.shield(start)
    except asyncio.CancelledError:
        with suppress(OSError):  # it could not be started: nothing to end, and still interrupted
            process = await start
            _kill(process, own_group=own_group)
            await _reap(process)
        raise


def _kill(process: Process, *, own_group: bool) -> None:
    if own_group:
        kill_group(process)
    elif process.returncode is None:
        with suppress(ProcessLookupError, PermissionError):
            process.kill()


async def _reap(process: Process) -> None:
    """Close our ends of the pipes first: who left the group may keep the other ends open."""
    process._transport.close()  # type: ignore[attr-defined] # noqa: SLF001 (there is no other way)
    await process.wait()
