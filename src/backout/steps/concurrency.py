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
async def beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run `work` while the block runs, and no longer; what it raises is nobody's concern."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


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
