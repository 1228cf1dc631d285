"""Who we are, before anything is asked: a login in a browser must not use up the reads' time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec.structs import replace

from backout.core.errors import BackoutError

if TYPE_CHECKING:
    from backout.steps.run import Run


async def logged_in(run: Run) -> Run:
    """Wait until it is known who we are, within the run's time; return the run with what is left.

    Raises ConfigError where it cannot be found out, BackoutError where time is up.
    """
    loop, total = asyncio.get_running_loop(), run.limits.total
    since = loop.time()
    try:
        async with asyncio.timeout(total):
            await run.client.log_in()
    except TimeoutError:
        raise BackoutError(
            f"time was up after {total:g} s, while the credential plugin was waited for; nothing "
            "was changed",
            remedy="give it longer: --timeout",
        ) from None
    spent = int(loop.time() - since)
    if total is None or not spent:
        return run
    limits = replace(run.limits, total=total - spent)
    return replace(run, session=replace(run.session, limits=limits))
