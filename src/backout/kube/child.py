"""One child process: output bounded, time bounded by the caller, nothing left behind."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OUTPUT_CAP = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Finished:
    """How it ended: exit code (negative: killed by that signal) and what it printed."""

    code: int
    stdout: bytes = field(repr=False)
    stderr: bytes = field(repr=False)


async def run(
    command: Sequence[str], *, environment: Mapping[str, str], interactive: bool
) -> Finished:
    """Run the command to its end; when cancelled, kill it (and its children, unless interactive).

    Interactive, it has our stdin and stderr and stays in the terminal's foreground group.
    Otherwise stdin is empty and stderr is kept. Raises OSError if it cannot be started.
    """
    child = await asyncio.create_subprocess_exec(
        *command,
        stdin=None if interactive else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=None if interactive else asyncio.subprocess.PIPE,
        env=dict(environment),
        start_new_session=not interactive,
    )
    try:
        stdout, stderr = await asyncio.gather(_bounded(child.stdout), _bounded(child.stderr))
        code = await child.wait()
    except BaseException:
        _kill(child, group=not interactive)
        raise
    finally:
        _close(child)
        await child.wait()  # it has ended or was killed: this reaps it
    return Finished(code=code, stdout=stdout, stderr=stderr)


async def _bounded(stream: asyncio.StreamReader | None) -> bytes:
    """Return what comes until the end, cut at the cap; the rest is read and dropped."""
    kept = bytearray()
    while stream is not None and (chunk := await stream.read(65536)):
        kept += chunk[: OUTPUT_CAP - len(kept)]
    return bytes(kept)


def _kill(child: asyncio.subprocess.Process, *, group: bool) -> None:
    with suppress(ProcessLookupError, PermissionError):
        if group:
            os.killpg(child.pid, signal.SIGKILL)
        elif child.returncode is None:
            child.kill()


def _close(child: asyncio.subprocess.Process) -> None:
    """Close our ends of the pipes: a grandchild that keeps its ends open must not hold us up."""
    child._transport.close()  # type: ignore[attr-defined] # noqa: SLF001 (there is no other way)
