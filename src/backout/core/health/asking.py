"""Which running Pods of a revision are asked for their health, and which visibly fail.

A few are asked, so that requests are few.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from backout.core.kubernetes import objects

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from backout.core.model import Object

TWICE = 2
LATELY = timedelta(minutes=6)
"""A kubelet waits 5 minutes at most until it starts a container again."""
MOST = 10
"""Pods that are asked; hundreds run where a rollout is in its middle."""


def running(pods: Iterable[Object]) -> list[Object]:
    """Return the Pods whose containers run, well or not."""
    return [pod for pod in pods if objects.dig(pod, "status", "phase") == "Running"]


def crashing(pod: Object, now: datetime) -> str:
    """Return how a container of a Pod ends again and again, in words; empty where none does.

    Its kubelet says so by waiting longer and longer, or it was restarted `TWICE` and ended lately.
    `now` is the server's.
    """
    for status, _ in objects.container_statuses(pod):
        waits = objects.dig(status, "state", "waiting", "reason", default="")
        ends = [objects.dig(status, key, "terminated") for key in ("state", "lastState")]
        last = next((end for end in ends if end), None)
        restarts = int(objects.dig(status, "restartCount", default=0))
        ended = objects.timestamp(objects.dig(last, "finishedAt"))
        is_late = restarts >= TWICE and ended is not None and now - ended < LATELY
        if waits == "CrashLoopBackOff" or is_late:
            code = objects.dig(last, "exitCode", default="unknown")
            count = "1 restart" if restarts == 1 else f"{restarts} restarts"
            name = status.get("name")
            return f"Pod {objects.name(pod)}: container {name} ends with exit code {code}, {count}"
    return ""


def chosen(pods: Iterable[Object]) -> list[Object]:
    """Return the Pods to ask: all that run, or `MOST` of them spread evenly.

    Over their nodes; Ready and not Ready in proportion, and each at least once where both are: so
    a revision of which a Pod is Ready is never judged by those alone that are not.
    """
    there = sorted(running(pods), key=_place)
    if len(there) <= MOST:
        return there
    return [there[i * (len(there) - 1) // (MOST - 1)] for i in range(MOST)]


def _place(pod: Object) -> tuple[bool, str, str]:
    return objects.is_ready(pod), str(objects.dig(pod, "spec", "nodeName")), objects.name(pod)


def out_of(pods: Iterable[Object], asked: int) -> str:
    """Return `10 of 37`, where not all that run were asked; empty where they were."""
    count = len(running(pods))
    return f"{asked} of {count}" if asked < count else ""
