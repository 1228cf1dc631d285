"""Runs the command in a fork of a process that has loaded it: what is loaded once costs once.

Half of a run's time is loading Python's modules. What looks at how the program starts (its streams,
its signals, what it loads) takes a process of its own: `Command.start`.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import runpy
import sys
import warnings
from contextlib import ExitStack
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.contract.cli.loaded"])


async def forked(
    arguments: Sequence[str], environment: Mapping[str, str], place: Path, within: float
) -> tuple[int, str, str]:
    """Return the exit code, stdout and stderr. `within`: seconds; a run that hangs is killed.

    `place`: a folder for what the run writes to its streams.
    """
    streams = (place / "stdout", place / "stderr")
    process = _FORKS.Process(target=_run, args=(tuple(arguments), dict(environment), streams))
    process.start()
    try:
        await asyncio.to_thread(process.join, within)
        assert process.exitcode is not None, f"it hangs: {arguments}"
    finally:
        if process.exitcode is None:
            process.kill()
            process.join()
    out, err = (s.read_bytes().decode() for s in streams)
    code = process.exitcode
    process.close()
    return code, out, err


def _run(
    arguments: tuple[str, ...], environment: dict[str, str], streams: tuple[Path, ...]
) -> None:
    with ExitStack() as opened:
        for descriptor, path in enumerate(streams, start=1):
            to: BinaryIO = opened.enter_context(path.open("wb"))
            os.dup2(to.fileno(), descriptor)
    os.environ.clear()
    os.environ.update(environment)
    warnings.simplefilter("error")
    sys.argv[1:] = arguments
    runpy.run_module("backout", run_name="__main__", alter_sys=True)
