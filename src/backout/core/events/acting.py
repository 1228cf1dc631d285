"""The change itself, and what is remembered of it and of those before."""

from __future__ import annotations

from collections.abc import Mapping

from backout.core.events.event import Event


class GoingOn(Event, frozen=True, kw_only=True, tag="left_open"):
    """`undo`: a rollback was left open, and this command goes on with it."""

    revision: int


class Resumed(Event, frozen=True, kw_only=True, tag="resumed"):
    """A rollback left open is resumed: its PATCH landed.

    `resumed` is that run's op.
    """

    resumed: str


class Recovered(Event, frozen=True, kw_only=True, tag="recovered"):
    """A record left open by another run was closed.

    `recovered` is that run's op.
    """

    recovered: str
    state: str


class LockAwaited(Event, frozen=True, kw_only=True, tag="waiting"):
    """Another run holds the lock, and it is waited for."""


class FieldsReturned(Event, frozen=True, kw_only=True, tag="healed"):
    """The template's fields are handed back to who applies them.

    `managers`: their names, by commas.
    """

    managers: str


class Triggered(Event, frozen=True, kw_only=True, tag="triggered"):
    """The announcement; on disk before the PATCH."""

    revision: int


class PatchLanded(Event, frozen=True, kw_only=True, tag="patched"):
    """Not in text: it is certain that the PATCH landed."""

    milliseconds: float


class PodReplaced(Event, frozen=True, kw_only=True, tag="replaced"):
    """`--replace-stuck-pods`: a Pod that held the rollback up was deleted."""

    pod: str
    uid: str


class Recorded(Event, frozen=True, kw_only=True, tag="recorded"):
    """`verify`, `status --record`: the revision is remembered as healthy."""

    revision: int
    images: Mapping[str, str]
