"""Where a workload stands, in a sentence: its revision, its image, and whose Pods are Ready."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.history import revisions
from backout.core.images import names
from backout.core.preflight.snapshot import Need

if TYPE_CHECKING:
    from backout.core.preflight.snapshot import Snapshot


def where(snapshot: Snapshot) -> str:
    """Return where it stands; the Pods of other revisions serve, too, and are told with their own.

    Its facts are parted by semicolons: a terminal shows a line each.
    """
    now = revisions.current(snapshot.revisions)
    template = snapshot.workload["spec"]["template"]
    others = [
        f"{pods(r.ready)} of revision {r.number} {names.beside(r.template)}"
        for r in snapshot.revisions
        if r.ready and r != now
    ]
    also = f"; still Ready: {', '.join(others)}" if others else ""
    if now is None:
        image = names.beside(template)
        start = f"{snapshot.target} has a new template, and no revision of it yet {image}"
        return f"{start}{also or '; no Pod is Ready'}"
    start = f"{snapshot.target} is at revision {now.number} {names.beside(template)}"
    if Need.PODS in snapshot.unreadable:
        return f"{start}; its Pods cannot be read"
    # Beside Ready Pods of others "0 of 2 Pods" would contradict them.
    wanted = pods(snapshot.pace.replicas, "new " if others else "")
    return f"{start}; {now.ready} of {wanted} Ready{also}"


def pods(count: int, which: str = "") -> str:
    """Return a number of Pods in words; `which` ends with a space."""
    return f"{count} {which}{'Pod' if count == 1 else 'Pods'}"
