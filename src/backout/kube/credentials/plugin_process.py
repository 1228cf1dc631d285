"""The process of a credential plugin: its output bounded, its time bounded by the caller."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from backout.child import child
from backout.core.discreet import Discreet, Hidden

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OUTPUT_CAP = 1024 * 1024


class Finished(Discreet, frozen=True, kw_only=True):
    """How it ended: exit code (negative: killed by that signal) and what it printed."""

    code: int
    stdout: Hidden[bytes]
    stderr: Hidden[bytes]


async def run(
    command: Sequence[str], *, environment: Mapping[str, str], interactive: bool
) -> Finished:
    """Run the command to its end; when cancelled, kill it (and its children, unless interactive).

    Interactive, it has our stdin and stderr and stays in the terminal's foreground group.
    Otherwise stdin is empty and stderr is kept. Raises OSError if it cannot be started.
    """
    running = child(
        command,
        environment=environment,
        stdin=None if interactive else asyncio.subprocess.DEVNULL,
        stderr=None if interactive else asyncio.subprocess.PIPE,
        own_group=not interactive,
    )
    async with running as process:
        stdout, stderr = await asyncio.gather(_bounded(process.stdout), _bounded(process.stderr))
        code = await process.wait()
    return Finished(code=code, stdout=stdout, stderr=stderr)


async def _bounded(stream: asyncio.StreamReader | None) -> bytes:
    """Return what comes until the end, cut at the cap; the rest is read and dropped."""
    kept = bytearray()
    while stream is not None and (chunk := await stream.read(65536)):
        kept += chunk[: OUTPUT_CAP - len(kept)]
    return bytes(kept)
