"""Work side by side: its first error, its end with a block, and what must not be cut off."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Iterator

T = TypeVar("T")


@contextmanager
def first_error() -> Iterator[None]:
    """Raise the first error of a TaskGroup that is entered inside, as itself."""
    try:
        yield
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None


@asynccontextmanager
async def running(work: Coroutine[Any, Any, T]) -> AsyncIterator[asyncio.Task[T]]:
    """Run `work` while the block runs, and no longer: it has ended when the block is left.

    What it raises, only who asks the task for its result is told.
    """
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run `work` while the block runs, and no longer; what it raises is nobody's concern."""
    async with running(work):
        yield


async def race(*tasks: asyncio.Future[Any], within: float | None) -> bool:
    """Wait for the first of these, `within` seconds (None: for ever); tell whether one is done.

    All of them go on: whoever started them ends them.
    """
    done, _ = await asyncio.wait(tasks, timeout=within, return_when=asyncio.FIRST_COMPLETED)
    return bool(done)


async def unbroken(request: asyncio.Future[T], *, patience: float) -> T:
    """Return the request's answer; when interrupted, wait for it first, up to `patience` seconds.

    For writes: what they did has to be known afterwards. Then the interruption goes on, and
    `request` is done: with its answer, its error, or cancelled where none came in time.
    """
    try:
        return await asyncio.shield(request)
    except asyncio.CancelledError:
        await asyncio.wait({request}, timeout=patience)
        if not request.done():
            request.cancel()
            await asyncio.wait({request})
        if not request.cancelled():
            request.exception()
        raise
