"""POSTs a message to a URL of the user's, once: a second one would be a second rollback to some."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from backout.core.errors import BackoutError
from backout.core.report.notification import SIGNATURE, signature

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from backout.http.client import HttpClient

PATIENCE = 3.0
"""Seconds for one notification."""
CAP = 64 * 1024


class Notifier:
    """Sends to one `url`, signed where there is a `key`. The URL's path may be a secret.

    `patience`, in seconds, is for one notification.
    """

    def __init__(
        self, session: HttpClient, url: str, *, key: bytes = b"", patience: float = PATIENCE
    ) -> None:
        self._session = session
        self._url = url
        self._key = key
        self._patience = patience
        self._beside: asyncio.Task[None] | None = None
        self._outcome: object = None

    @property
    def host(self) -> str:
        """Who is told, as it may be shown."""
        return urlsplit(self._url).hostname or "the URL"

    def beside(self, sending: Coroutine[object, object, None]) -> None:
        """Let it be sent beside whatever comes next."""
        self._beside = asyncio.create_task(sending)

    async def sent(self) -> None:
        """Wait for what is sent beside, at most as long as one notification may take."""
        if self._beside is not None:
            await asyncio.wait({self._beside}, timeout=self._patience)

    def is_news(self, outcome: object) -> bool:
        """Tell whether this outcome was not sent before, and note it: nobody is told twice."""
        is_news, self._outcome = outcome != self._outcome, outcome
        return is_news

    async def send(self, message: Mapping[str, object]) -> str:
        """Send it; return why it did not arrive, empty where it did."""
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
                any_coding=True,
            )
        except BackoutError as error:
            return error.message
        return "" if 200 <= answer.status < 300 else f"HTTP {answer.status}"  # noqa: PLR2004
