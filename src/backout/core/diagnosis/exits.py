"""How often in a row a container has ended with the same exit, as far as it was watched.

A status tells the last exit only; whether the one before was the same has to be remembered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from backout.core.kubernetes import objects
from backout.core.value import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from backout.core.model import Object

Key: TypeAlias = tuple[str, str]
"""A Pod's UID and a container's name."""


@dataclass(frozen=True, kw_only=True)
class Exit:
    """The newest exit: its code, and at which restart count it was seen first.

    Not its reason: the runtime calls the same end OOMKilled now and Error then (measured).
    """

    code: int
    since: int


def seen(before: Mapping[Key, Exit], pods: Iterable[Object]) -> dict[Key, Exit]:
    """Return what is known after looking at these Pods; a repeated look changes nothing."""
    after = dict(before)
    for pod in pods:
        for status, _ in objects.container_statuses(pod):
            ended = objects.dig(status, "state", "terminated") or objects.dig(
                status, "lastState", "terminated"
            )
            if ended is None:
                continue
            key = (objects.uid(pod), str(status.get("name")))
            code = int(ended.get("exitCode") or 0)
            known = after.get(key)
            if known is None or known.code != code:
                count = int(status.get("restartCount") or 0)
                after[key] = Exit(code=code, since=0 if known is None else count)
    return after
