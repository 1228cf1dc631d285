"""A container that has exited must outlive its earlier runs before a rollout is called a success.

One that ends 3 to 4 s after each start is Ready in between, and was called rolled out (measured).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

from backout.core.kubernetes import objects
from backout.core.kubernetes.managed_fields import status_written

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from backout.core.diagnosis.exits import Exit, Key
    from backout.core.model import Object

TIMES = 3
LONGEST = timedelta(minutes=10)
"""After so long a run the kubelet itself forgets the exits before (pkg/kubelet)."""

Runs: TypeAlias = "Mapping[Key, tuple[str, float]]"
"""The run of each container that is under way: its start as told, and when we saw it first."""


def runs_seen(before: Runs, pods: Iterable[Object], at: float) -> Runs:
    """Return the runs that are under way, with the monotonic seconds at which each was seen."""
    after: dict[Key, tuple[str, float]] = {}
    for key, status, _ in _serving(pods):
        started = objects.dig(status, "state", "running", "startedAt")
        if started is not None:
            known = before.get(key)
            same = known is not None and known[0] == str(started)
            after[key] = known if same and known is not None else (str(started), at)
    return after


def unproven(
    pods: Iterable[Object],
    exits: Mapping[Key, Exit],
    restarts: Mapping[tuple[str, str], int],
    runs: Runs,
    *,
    at: float,
    now: datetime,
) -> str:
    """Return which container has yet to outlive its earlier runs, in words; empty where none.

    `restarts` are those of before our PATCH; `at` is our monotonic time, `now` the server's. How
    long a run has lasted is known from when we saw it first, or from when the Pod's status was
    last written: two stamps of one clock each.
    """
    for key, status, pod in _serving(pods):
        ended = exits.get(key)
        if ended is None or int(status.get("restartCount") or 0) <= restarts.get(key, 0):
            continue
        needed = min(LONGEST, max(TIMES * ended.longest, timedelta(seconds=TIMES)))
        written = status_written(pod)
        lasted = max(
            timedelta(seconds=at - runs[key][1]) if key in runs else timedelta(0),
            now - written if written is not None else timedelta(0),
        )
        if lasted < needed:
            return (
                f"container {key[1]} of Pod {objects.name(pod)} has ended before "
                f"(exit {ended.code} after {ended.longest.total_seconds():.0f} s); "
                f"it has to stay up for {needed.total_seconds():.0f} s"
            )
    return ""


def _serving(pods: Iterable[Object]) -> Iterator[tuple[Key, Object, Object]]:
    for pod in pods:
        if not objects.is_active(pod):
            continue
        uid, sidecars = objects.uid(pod), {str(c.get("name")) for c in objects.sidecars(pod)}
        for status, is_init in objects.container_statuses(pod):
            name = str(status.get("name"))
            if not is_init or name in sidecars:
                yield (uid, name), status, pod
