"""Follows a list for ever: list, watch from there, list again where the server has forgotten.

Built after kopf's clients/watching.py and client-go's reflector: one request is `Client.watch`,
this is what holds them together. State is the newest object by UID, never a count of events.
"""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import Struct

from backout.core.errors import ApiError, Forbidden, Gone, NotFound, Unauthorized, Unreachable
from backout.core.kubernetes.objects import resource_version
from backout.kube.clock import SYSTEM_CLOCK, Clock
from backout.kube.status import TOO_MANY
from backout.kube.turns import Turns

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from backout.kube.answers import WatchEvent
    from backout.kube.client import Client, Keep


RELIST = 240.0
"""Seconds: as long as the shortest watch that ends by itself."""


class Synced(Struct, frozen=True, kw_only=True):
    """The whole state: forget what is not among `items`. The first change, and after each gap."""

    items: tuple[Mapping[str, Any], ...]


class Upserted(Struct, frozen=True, kw_only=True):
    """This object is new or changed."""

    object: Mapping[str, Any]


class Removed(Struct, frozen=True, kw_only=True):
    """This object is gone; `object` is its last state."""

    object: dict[str, Any]


class Interrupted(Struct, frozen=True, kw_only=True):
    """We do not see for a while; `why` is a sentence. It goes on by itself."""

    why: str


Change: TypeAlias = Synced | Upserted | Removed | Interrupted


class _Place(Struct, kw_only=True):
    """What is followed, and how far: `version` is empty where a list is needed."""

    path: str
    selectors: dict[str, str]
    keep: Keep
    version: str = ""
    listed_at: float = 0.0
    clock: Clock
    turns: Turns


async def follow(
    client: Client,
    path: str,
    *,
    label_selector: str = "",
    field_selector: str = "",
    keep: Keep = dict,
    clock: Clock = SYSTEM_CLOCK,
) -> AsyncGenerator[Change, None]:
    """Yield changes until the consumer stops (use `contextlib.aclosing`).

    Of each object what `keep` returns stays; of a list page by page, to save memory.

    Never more than one request a second, except the first list and watch. Failures of transport,
    429 and 5xx are `Interrupted` and tried again with a growing pause of 10 s at most; what
    repeating cannot cure (401, 403, 404, other 4xx, credentials) is raised.
    """
    selectors = {"label_selector": label_selector, "field_selector": field_selector}
    place = _Place(path=path, selectors=selectors, keep=keep, clock=clock, turns=Turns(clock))
    while True:
        try:
            if not place.version:
                yield await _listed(client, place)
            async with aclosing(_watched(client, place)) as changes:
                async for change in changes:
                    yield change
        except Gone:
            place.version = ""
        except (Unreachable, ApiError) as exc:
            if not _passes(exc):
                raise
            place.turns.failed(_asked_pause(exc))
            # It may be the version itself that cannot be served; and only a list tells the
            # consumer at once that we see again: a watch is silent where nothing changes.
            place.version = ""
            yield Interrupted(why=exc.message)


async def _listed(client: Client, place: _Place) -> Synced:
    await place.turns.turn()
    listing = await client.list(place.path, tries=1, keep=place.keep, **place.selectors)
    place.version, place.listed_at = listing.resource_version, place.clock.monotonic()
    place.turns.allow_one()
    return Synced(items=tuple(listing.items))


async def _watched(client: Client, place: _Place) -> AsyncGenerator[Change, None]:
    """Yield the changes of one watch, remembering how far it came.

    After a long one the next turn lists: what a proxy on the way has swallowed is found then.
    One that brought nothing, not even a bookmark, may go on bringing nothing: the next turn lists
    (client-go's reflector takes a very short watch for an error, too).
    """
    await place.turns.turn()
    events = client.watch(place.path, resource_version=place.version, **place.selectors)
    async with aclosing(_or_list(place, events)) as told:
        async for event in told:
            place.turns.succeeded()
            change = _change(event, place.keep)
            if change is not None or event.type == "BOOKMARK":
                place.version = resource_version(event.object) or place.version
            if change is not None:
                yield change
    if place.clock.monotonic() - place.listed_at >= RELIST:
        place.version = ""


async def _or_list(
    place: _Place, events: AsyncGenerator[WatchEvent, None]
) -> AsyncGenerator[WatchEvent, None]:
    """Yield the events; where none came before the end, ask for a list."""
    brought = False
    async with aclosing(events):
        async for event in events:
            brought = True
            yield event
    place.version = place.version if brought else ""


def _change(event: WatchEvent, keep: Keep) -> Change | None:
    """Return what the event means, None for bookmarks and for types that we do not know."""
    match event.type:
        case "ADDED" | "MODIFIED":
            return Upserted(object=keep(event.object))
        case "DELETED":
            return Removed(object=event.object)
    return None


def _passes(exc: Unreachable | ApiError) -> bool:
    """Tell whether the failure may go away by itself."""
    if isinstance(exc, Unauthorized | Forbidden | NotFound):
        return False
    return isinstance(exc, Unreachable) or exc.code == TOO_MANY or exc.code >= 500  # noqa: PLR2004


def _asked_pause(exc: Unreachable | ApiError) -> float:
    """Return the seconds the server asks us to stay away, 0 if it does not."""
    seconds = exc.details.get("retryAfterSeconds", 0) if isinstance(exc, ApiError) else 0
    return float(seconds) if isinstance(seconds, int) else 0.0
