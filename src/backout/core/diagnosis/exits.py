"""How often in a row a container has ended with the same exit, as far as it was watched.

A status tells the last exit only; whether the one before was the same has to be remembered.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from backout.core.kubernetes import objects

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from backout.core.model import Object

Key: TypeAlias = tuple[str, str]
"""A Pod's UID and a container's name."""


class Exit(Struct, frozen=True, kw_only=True):
    """The newest exit: its code, at which restart count it was seen first, and the longest run.

    Not its reason: the runtime calls the same end OOMKilled now and Error then (measured).
    `longest` is that of all runs whose end was seen, by the kubelet's own stamps.
    """

    code: int
    since: int
    longest: timedelta = timedelta(0)


def seen(before: Mapping[Key, Exit], pods: Iterable[Object]) -> dict[Key, Exit]:
    """Return what is known after looking at these Pods; a repeated look changes nothing."""
    after = dict(before)
    for pod in pods:
        for status, _ in objects.container_statuses(pod):
            ends = [objects.dig(status, s, "terminated") for s in ("state", "lastState")]
            known_ends = [e for e in ends if e is not None]
            if not known_ends:
                continue
            key = (objects.uid(pod), str(status.get("name")))
            code = int(known_ends[0].get("exitCode") or 0)
            known = after.get(key)
            longest = max((_ran(e) for e in known_ends), default=timedelta(0))
            longest = max(longest, known.longest if known is not None else timedelta(0))
            since = known.since if known is not None else 0
            if known is not None and known.code != code:
                since = int(status.get("restartCount") or 0)
            after[key] = Exit(code=code, since=since, longest=longest)
    return after


def _ran(ended: Object) -> timedelta:
    began = objects.timestamp(ended.get("startedAt"))
    over = objects.timestamp(ended.get("finishedAt"))
    return (
        max(timedelta(0), over - began)
        if began is not None and over is not None
        else (timedelta(0))
    )
