"""Sends what changes something.

A write is never sent again, but for one that the API server itself was too busy to look at (429).
"""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from backout.core.errors import BackoutError, Unreachable
from backout.core.model import FIELD_MANAGER
from backout.http.errors import Unanswered
from backout.kube.bodies import object_in
from backout.kube.call import NO_PARAMS, Call, Reply
from backout.kube.errors import Unclear
from backout.kube.retry import is_turned_away, patiently
from backout.kube.status import error_of, is_of_api_server, is_success

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backout.http.response import Response
    from backout.kube.clock import Clock
    from backout.kube.transport import Transport

BUSY_TRIES = 8
"""How often a write is sent that the API server turns away, at most: each after a longer pause."""


class Writes:
    """Sends writes, each within `timeout` seconds unless it is told another.

    Errors: what the API server says (ApiError's family) where it certainly did nothing, else
    Unclear.
    """

    def __init__(self, transport: Transport, *, timeout: float, clock: Clock) -> None:
        self._transport = transport
        self._timeout = timeout
        self._clock = clock

    async def send(
        self,
        method: str,
        path: str,
        body: object,
        *,
        params: Mapping[str, str] = NO_PARAMS,
        content_type: str = "application/json",
        timeout: float | None = None,  # noqa: ASYNC109 (instead of the one of all, in seconds)
    ) -> tuple[dict[str, Any], Reply]:
        """Return the object as the server has it now, and the answer that held it."""
        call = Call(
            method=method,
            path=path,
            params={"fieldManager": FIELD_MANAGER, **params},
            body=json.dumps(body).encode(),
            content_type=content_type,
            timeout=timeout or self._timeout,
        )
        sent = [call]
        try:
            reply = await self._admitted(sent)
        except Unanswered as exc:
            raise _unclear(sent[-1], exc) from None
        call, response = sent[-1], reply.response
        if not is_success(response.status):
            error = error_of(response, self._transport.host)
            raise _unclear(call, error) if _is_unclear(response) else error
        try:
            return object_in(response, host=self._transport.host), reply
        except Unreachable as exc:
            raise _unclear(call, exc) from None

    async def _admitted(self, sent: list[Call]) -> Reply:
        """Send a write, again for as long as the API server turns it away unread (429).

        No longer than its time-out in all. A proxy's own 429 says nothing about what is behind it.
        `sent` is what is sent, the newest last: each time it has an Audit-ID of its own.
        """
        first = sent.pop()
        replies: list[Reply] = []

        async def ask(left: float) -> Response:
            audit_id = str(uuid.uuid4()) if sent else first.audit_id
            timeout = max(0.1, round(left, 1))
            sent.append(replace(first, timeout=timeout, audit_id=audit_id))
            replies.append(await self._transport.send(sent[-1]))
            return replies[-1].response

        await patiently(
            ask, budget=first.timeout, tries=BUSY_TRIES, clock=self._clock, passes=is_turned_away
        )
        return replies[-1]


def _is_unclear(response: Response) -> bool:
    """Tell whether a failed write may have been done: any 5xx, and any foreign 4xx.

    A 504 of the API server's own may be committed later (docs/facts/api-server.md). A redirect is
    not followed, and a 4xx of its own, 429 included, means that nothing was executed.
    """
    status = response.status
    return status >= 500 or (status >= 400 and not is_of_api_server(response))  # noqa: PLR2004


def _unclear(call: Call, error: BackoutError) -> BackoutError:
    """Return the error as Unclear; a dry run changes nothing, so there it stays what it is."""
    if call.params.get("dryRun") == "All":
        return error
    return Unclear(
        error.message,
        method=call.method,
        audit_id=call.audit_id,
        remedy=f"look at the object before trying again (Audit-ID {call.audit_id})",
    )
