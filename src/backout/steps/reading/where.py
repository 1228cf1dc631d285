"""Says where a workload stands: its revision, its images, and whose Pods are Ready."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.events.planning import Located
from backout.core.history import revisions
from backout.core.kubernetes import template
from backout.core.plan.where import where

if TYPE_CHECKING:
    from backout.core.preflight.snapshot import Snapshot
    from backout.steps.run import Run


def tell_where(run: Run, snapshot: Snapshot) -> None:
    """Say where the workload stands, and whose Pods are Ready."""
    now = revisions.current(snapshot.revisions)
    run.say(
        Located(
            message=where(snapshot),
            revision=now.number if now is not None else None,
            images=template.images(snapshot.workload["spec"]["template"]),
        )
    )
