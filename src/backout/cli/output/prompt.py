"""Asks before the lock, only where a person can answer: stdin and stderr are a terminal."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

from backout.cli.output.render import write
from backout.core.text import untrusted

if TYPE_CHECKING:
    from backout.core.plan.plan import Plan

PATIENCE = 600.0
"""Seconds after which nobody is there: the answer is No."""


async def confirm(plan: Plan, context: str, *, ask: bool) -> bool:
    """Return whether to go on. The default is No; end of input and silence are No too."""
    if not ask or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    target, number = plan.preflight.snapshot.target, plan.preflight.destination.number
    question = (
        f"Roll {target} in namespace {target.namespace} of context {context or '-'} back to "
        f"revision {number}? [y/N] "
    )
    write(sys.stderr, untrusted(question, 400), end="")
    try:
        async with asyncio.timeout(PATIENCE):
            answer = await _line(sys.stdin.fileno())
    except TimeoutError:
        write(sys.stderr, "")
        return False
    return answer.strip().lower() in {"y", "yes"}


async def _line(descriptor: int) -> str:
    """Return one line without blocking the loop, so that Ctrl-C and time-outs still work."""
    loop = asyncio.get_running_loop()
    readable: asyncio.Future[None] = loop.create_future()

    def on_input() -> None:
        if not readable.done():
            readable.set_result(None)

    loop.add_reader(descriptor, on_input)
    try:
        await readable
    finally:
        loop.remove_reader(descriptor)
    return os.read(descriptor, 1024).decode(errors="replace")
