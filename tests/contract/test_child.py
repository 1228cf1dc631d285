"""A child process that is interrupted at any moment of its start leaves nobody behind."""

from __future__ import annotations

import asyncio
import os
import select
from typing import TYPE_CHECKING

import pytest

from backout.child import child
from tests.contract.pipes import nobody_writes

if TYPE_CHECKING:
    from pathlib import Path


async def sleeping(fifo: Path, *, own_group: bool) -> None:
    """Run a shell that leaves the writing to a child of its own, or writes itself."""
    line = f"exec >{fifo}; echo x; exec sleep 300"
    if own_group:
        line = f"({line}) & sleep 300"
    await started("/bin/sh", "-c", line, own_group=own_group)


async def started(*command: str, own_group: bool = True) -> None:
    async with child(
        command,
        environment={"PATH": "/usr/bin:/bin"},
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.STDOUT,
        own_group=own_group,
    ) as process:
        await process.wait()


@pytest.mark.parametrize("own_group", [True, False])
@pytest.mark.parametrize("steps", range(1, 9))
async def test_an_interruption_while_it_starts_kills_it_with_its_children(
    tmp_path: Path, steps: int, *, own_group: bool
) -> None:
    fifo = tmp_path / "alive"
    os.mkfifo(fifo)
    end = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    asking = asyncio.create_task(sleeping(fifo, own_group=own_group))
    for _ in range(steps):
        await asyncio.sleep(0)
    # Not awaited: the loop stands still, and the shell gets ahead of what waits for its start.
    select.select([end], [], [], 1.0)
    asking.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asking
    assert nobody_writes(end)
    os.close(end)


@pytest.mark.parametrize("steps", range(1, 9))
async def test_an_interruption_is_not_lost_where_the_command_cannot_be_started(steps: int) -> None:
    asking = asyncio.create_task(started("/no/such/program"))
    for _ in range(steps):
        await asyncio.sleep(0)
    is_interrupted = asking.cancel()

    with pytest.raises(asyncio.CancelledError if is_interrupted else FileNotFoundError):
        await asking
