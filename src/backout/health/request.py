"""Asks a URL of the user's for health: one request, no redirect followed, the body never shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import field

from backout.core.discreet import Discreet, Hidden
from backout.core.errors import BackoutError
from backout.core.health.expectation import BODY_CAP, Expected, judged
from backout.core.health.judgement import Answer, Sample

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backout.http.client import HttpClient


class UrlAsked(Discreet, frozen=True, kw_only=True):
    """A URL that the user named. `headers` may be secret, and go to its own host only.

    `timeout` in seconds, for the whole answer.
    """

    session: Hidden[HttpClient]
    url: Hidden[str]
    expected: Expected
    timeout: float
    method: str = "GET"
    headers: Hidden[Mapping[str, str]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What people call it."""
        return self.url

    async def ask(self) -> Sample:
        """Return the answer as a sample; without one in time it is unknown."""
        try:
            response = await self.session.request(
                self.method,
                self.url,
                headers=self.headers,
                timeout=self.timeout,
                cap=BODY_CAP,
                truncate=True,
                any_coding=True,
            )
        except BackoutError as error:
            return Sample(subject=self.name, answer=Answer.UNKNOWN, detail=error.message)
        return judged(
            self.name, response.status, response.body, self.expected, coding=response.coding
        )
