"""At any time: what is only said, and the last word."""

from __future__ import annotations

from typing import ClassVar

from backout.core.events.event import Event


class Noted(Event, frozen=True, kw_only=True, tag="note"):
    """What could not be done, or should be known.

    `unwatched`: what could not be watched; `node`: one that does not answer.
    """

    unwatched: str = ""
    node: str = ""


class Warned(Event, frozen=True, kw_only=True, tag="warning"):
    """The API server's warnings, and ours."""


class RunEnded(Event, frozen=True, kw_only=True, tag="outcome"):
    """Last.

    `exit` is the exit code.
    """

    unwritten: ClassVar[frozenset[str]] = frozenset({"sentences"})

    result: str
    exit: int
    verdict: str
    health: str
    remedy: str
    sentences: tuple[str, ...] = ()
    """The message's, for whoever prints one a line; empty where it is read from a journal."""
