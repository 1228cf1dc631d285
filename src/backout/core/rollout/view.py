"""A rollout at a glance: what a person at a terminal wants to see at any moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from backout.core.kubernetes import objects

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from backout.core.diagnosis.causes import Cause
    from backout.core.kinds.kind import Counters
    from backout.core.model import Object

MOST = 8
"""Pods that are listed: of thousands the first tell as much, each second."""


class View(Struct, frozen=True, kw_only=True):
    """Replicas by state, each Pod's state in a word, the newest cause, and the time.

    `pods` are names with their words, those of the wanted revision first, as many as anybody wants
    to see; `more` is how many others there are. `elapsed` and `allowed` in seconds; untrusted text.
    `healthy` is how many answers of the service are well of how many it takes (`3/6`), empty until
    it is asked.
    """

    wanted: int
    ready: int
    old: int
    old_ready: int
    pods: tuple[tuple[str, str], ...]
    cause: str
    elapsed: float
    allowed: float
    more: int = 0
    healthy: str = ""


def view(
    count: Counters,
    pods: Sequence[Object],
    others: Sequence[Object],
    causes: Sequence[Cause],
    *,
    elapsed: float,
    allowed: float,
    healthy: str = "",
) -> View:
    """Return the view of a rollout.

    `count` is the workload's, `pods` are the wanted revision's, `others` all others.
    """
    listed = [(p, "") for p in pods[:MOST]]
    listed += [(p, "old, ") for p in others[: MOST - len(listed)]]
    return View(
        wanted=count.wanted,
        ready=sum(map(objects.is_ready, pods)),
        old=len(others),
        old_ready=sum(map(objects.is_ready, others)),
        pods=tuple((objects.name(p), prefix + word(p)) for p, prefix in listed),
        cause=f"{causes[0].subject}: {causes[0].message}" if causes else "",
        elapsed=elapsed,
        allowed=allowed,
        more=len(pods) + len(others) - len(listed),
        healthy=healthy,
    )


def counts(
    count: Counters | None, pods: Iterable[Object], others: Iterable[Object]
) -> dict[str, int]:
    """Return the Pods by state, those that are over or being deleted left out.

    `pods` are the wanted revision's, `others` all others; `count` is None where the workload is
    gone. From the Pods, not from the workload's status, whose counters are of the template before
    until the controller has seen the new one.
    """
    staying, old = _staying(pods), _staying(others)
    return {
        "wanted": count.wanted if count is not None else 0,
        "updated": len(staying),
        "ready": sum(map(objects.is_ready, staying)),
        "available": count.available if count is not None else 0,
        "old": len(old),
        "old_ready": sum(map(objects.is_ready, old)),
    }


def _staying(pods: Iterable[Object]) -> list[Object]:
    return [p for p in pods if objects.is_active(p)]


def word(pod: Object) -> str:
    """Return a Pod's state in a word, nearly kubectl's (pkg/printers/internalversion, printPod)."""
    if objects.dig(pod, "metadata", "deletionTimestamp"):
        return "Terminating"
    for status, is_init in objects.container_statuses(pod):
        for state in ("waiting", "terminated"):
            reason = objects.dig(status, "state", state, "reason")
            is_done = is_init and objects.dig(status, "state", state, "exitCode") == 0
            if reason and not is_done:
                return str(reason)
    if objects.is_ready(pod):
        return "Ready"
    phase = str(objects.dig(pod, "status", "phase", default="Pending"))
    return "not ready" if phase == "Running" else phase
