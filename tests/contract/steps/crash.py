"""A run that loses its API server for ever: its record and its lock stay behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from tests.contract.scripted_server import Answer, Close, Received, Step
from tests.contract.steps.shop import QUICK, holder, undone

if TYPE_CHECKING:
    from collections.abc import Callable

    from backout.steps.run import Limits
    from tests.contract.api_server import ApiServer


def is_fence(request: Received) -> bool:
    return "merge-patch" in request.headers.get("content-type", "")


HASTY = replace(QUICK, unclear=0.3, wind_down=0.3)
"""It will not get an answer: nothing is gained by waiting for one."""


async def crashed(
    api: ApiServer, at: Callable[[Received], bool], *, applied: bool, limits: Limits = HASTY
) -> None:
    """Let a run lose its API server for ever at a request: its record and its lock stay behind."""
    is_down = False

    def before(request: Received) -> Step | None:
        nonlocal is_down
        if not is_down and at(request) and not applied:
            is_down = True
        return Close() if is_down else None

    def after(request: Received, _: Answer) -> Step | None:
        nonlocal is_down
        is_down = is_down or at(request)
        return Close() if is_down else None

    api.before, api.after = before, after
    await undone(api, limits=limits)
    api.before, api.after = lambda _: None, lambda *_: None
    assert holder(api) != ""
