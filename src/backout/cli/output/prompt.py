"""Asks before the lock and before any write, whoever sits at the terminal; the default is No.

The terminal is the process's own (`/dev/tty`): also where stdout or stderr goes through a pipe.
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from backout.cli.output.columns import wrapped
from backout.cli.output.gate import shown
from backout.cli.output.printing import LONGEST, write
from backout.core.difference.words import summary
from backout.core.images.names import beside

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from backout.core.plan.plan import Plan

PATIENCE = 600.0
"""Seconds after which nobody is there: the answer is No."""
_ANSWER = 5
"""Columns of an answer."""
_TERMINAL = "/dev/tty"


def can_ask(environment: Mapping[str, str]) -> bool:
    """Tell whether a person can be asked: there is a terminal, and this is no CI job."""
    if environment.get("CI"):
        return False
    with _terminal() as found:
        return found is not None


async def confirm(plan: Plan, context: str, *, ask: bool) -> bool:
    """Return whether to go on. The default is No; end of input and silence are No too."""
    if not ask:
        return True
    preflight = plan.preflight
    target, destination = preflight.snapshot.target, preflight.destination
    changes = summary(preflight.snapshot.workload["spec"]["template"], destination.template)
    question = (
        f"Roll {target} (namespace {target.namespace}, context {context or '-'}) back to "
        f"revision {destination.number} {beside(destination.template)}? [y/N]"
    )
    with _terminal() as found:
        if found is None:
            return False
        said, heard = found
        if not sys.stdout.isatty():  # else it was told just above
            _say(said, shown(f"changes: {changes}", LONGEST) + "\n")
        _say(said, _wrapped(shown(question, 400), said))
        try:
            async with asyncio.timeout(PATIENCE):
                answer = await _line(heard)
        except TimeoutError:
            _say(said, "\n")
            return False
    return answer.strip().lower() in {"y", "yes"}


def _wrapped(question: str, descriptor: int) -> str:
    """Return the question wrapped at words to the terminal's width, room for the answer left."""
    try:
        width = os.get_terminal_size(descriptor).columns - _ANSWER
    except OSError:
        width = 0
    # A terminal that does not say how wide it is counts as wide.
    return "\n".join(wrapped(question, width if width > _ANSWER else None)) + " "


@contextmanager
def _terminal() -> Iterator[tuple[int, int] | None]:
    """Give the descriptors to ask on and to hear on, None where nobody sits there."""
    if sys.stdin.isatty() and sys.stderr.isatty():
        yield sys.stderr.fileno(), sys.stdin.fileno()
        return
    try:
        descriptor = os.open(_TERMINAL, os.O_RDWR | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError:
        yield None
        return
    try:
        yield descriptor, descriptor
    finally:
        os.close(descriptor)


def _say(descriptor: int, text: str) -> None:
    if descriptor == sys.stderr.fileno():
        write(sys.stderr, text, end="")
    else:
        os.write(descriptor, text.encode(errors="replace"))


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
