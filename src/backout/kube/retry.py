"""When a request is made again, a few times, within one budget.

A read after a 429, a 5xx or a failure of the transport; a write only after a 429 of the API
server's own.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from backout.core.errors import Unreachable
from backout.http.errors import TooLarge, Untrusted
from backout.kube.status import TOO_MANY, is_of_api_server, retry_after

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from backout.http.response import Response
    from backout.kube.clock import Clock

TRIES = 3
FIRST_PAUSE = 0.3
LONGEST_PAUSE = 5.0


def pause_after(
    failures: int, *, first: float = FIRST_PAUSE, longest: float = LONGEST_PAUSE
) -> float:
    """Return how long to wait after so many failures in a row: doubling, jittered by a quarter."""
    return min(longest, first * 2.0 ** min(failures - 1, 16)) * random.uniform(0.75, 1.0)  # noqa: S311


def is_passing(response: Response) -> bool:
    """Tell whether a read may fare better in a moment."""
    return response.status == TOO_MANY or response.status >= 500  # noqa: PLR2004


def is_turned_away(response: Response) -> bool:
    """Tell whether the API server itself has executed nothing, for it was too busy."""
    return response.status == TOO_MANY and is_of_api_server(response)


async def patiently(
    ask: Callable[[float], Awaitable[Response]],
    *,
    budget: float,
    tries: int,
    clock: Clock,
    passes: Callable[[Response], bool] = is_passing,
) -> Response:
    """Return the first answer that need not be asked again, or the last answer or failure.

    `passes` tells which answers must; only reads are made again after a failure of the transport.
    `ask` gets the seconds that are left of `budget` (all tries and pauses together). A pause that
    would not fit into it ends the trying: an honest answer now is better than a late time-out.
    """
    deadline = clock.monotonic() + budget
    for failures in range(1, tries + 1):
        left = deadline - clock.monotonic()
        try:
            response = await ask(left)
        except (TooLarge, Untrusted):
            raise
        except Unreachable:
            pause = pause_after(failures)
            if (
                passes is not is_passing
                or failures == tries
                or clock.monotonic() + pause >= deadline
            ):
                raise
        else:
            pause = _pause(response, failures)
            is_last = failures == tries or clock.monotonic() + pause >= deadline
            if not passes(response) or is_last:
                return response
        await clock.sleep(pause)
    msg = "tries is at least 1"
    raise ValueError(msg)


def _pause(response: Response, failures: int) -> float:
    asked = retry_after(response.headers)
    return pause_after(failures) if asked is None else float(asked)
