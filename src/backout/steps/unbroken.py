"""Writes that an interruption must not cut off: what they did has to be known afterwards."""

from __future__ import annotations

import asyncio
from typing import TypeVar

T = TypeVar("T")


async def unbroken(request: asyncio.Future[T], *, patience: float) -> T:
    """Return the request's answer; when interrupted, wait for it first, up to `patience` seconds.

    Then the interruption goes on, and `request` is done: with its answer, its error, or cancelled
    where none came in time.
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
