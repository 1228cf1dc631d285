"""Asks a URL of the user's for health: one GET, no redirect followed, the body never shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.errors import BackoutError
from backout.core.health import Answer, Sample, from_status
from backout.core.text import masked

if TYPE_CHECKING:
    from backout.http.session import Session

CAP = 64 * 1024


async def ask(session: Session, url: str, *, timeout: float) -> Sample:  # noqa: ASYNC109
    """Return the answer as a sample; without one within `timeout` seconds it is unknown.

    The sample's subject is the URL without what looks like a credential in it.
    """
    subject = masked(url)
    try:
        response = await session.request("GET", url, timeout=timeout, cap=CAP, truncate=True)
    except BackoutError as error:
        return Sample(subject=subject, answer=Answer.UNKNOWN, detail=error.message)
    return from_status(subject, response.status, guessed_path=False)
