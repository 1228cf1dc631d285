"""Tells a URL of the user's about the announcement and the outcome; nothing waits or fails for it.

A notification is sent once: a second one would be a second rollback to whoever counts them.
"""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from backout.core.errors import BackoutError
from backout.core.report.notification import SIGNATURE, document, signature

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backout.core.outcome import Outcome
    from backout.http.session import Session
    from backout.steps.run import Run

PATIENCE = 3.0
"""Seconds for one notification."""
CAP = 64 * 1024


class Notifier:
    """POSTs to one `url`, signed where there is a `key`. The URL's path may be a secret.

    `patience`, in seconds, is for one notification.
    """

    def __init__(
        self, session: Session, url: str, *, key: bytes = b"", patience: float = PATIENCE
    ) -> None:
        self._session = session
        self._url = url
        self._key = key
        self._patience = patience
        self._announcing: asyncio.Task[None] | None = None

    def begin(self, run: Run, revision: int, text: str) -> None:
        """Send the announcement beside whatever comes next."""
        facts = {"revision": revision, "outcome": None}
        self._announcing = asyncio.create_task(self._send(run, "triggered", text, facts))

    async def end(self, run: Run, outcome: Outcome) -> None:
        """Send the outcome, after the announcement; return within a few seconds in any case."""
        if self._announcing is not None:
            await asyncio.wait({self._announcing}, timeout=self._patience)
        facts = {
            "outcome": str(outcome.result),
            "verdict": outcome.verdict,
            "health": outcome.health,
            "remedy": outcome.remedy,
        }
        await self._send(run, "outcome", outcome.message, facts)

    async def _send(self, run: Run, kind: str, text: str, facts: Mapping[str, object]) -> None:
        ids = {"traceID": run.trace_id, "op": run.op}
        message = document(kind, text, datetime.now(UTC), run.target, {**ids, **facts})
        body = json.dumps(message).encode()
        signed = {SIGNATURE: signature(self._key, body)} if self._key else {}
        try:
            answer = await self._session.request(
                "POST",
                self._url,
                headers={"Content-Type": "application/json", **signed},
                body=body,
                timeout=self._patience,
                cap=CAP,
                truncate=True,
            )
        except BackoutError as error:
            self._warn(run, kind, error.message)
            return
        if not 200 <= answer.status < 300:  # noqa: PLR2004
            self._warn(run, kind, f"HTTP {answer.status}")

    def _warn(self, run: Run, kind: str, why: str) -> None:
        host = urlsplit(self._url).hostname or "the URL"
        run.say("warning", f"{host} was not notified ({kind}): {why}")
