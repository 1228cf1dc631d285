"""The one patch of a plan: what the server's dry run tries is what is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.history import patch

if TYPE_CHECKING:
    from backout.core.model import Object, Patch, Revision
    from backout.steps.run import Run


def made(run: Run, destination: Revision, workload: Object) -> Patch:
    """Return the patch that takes the workload, as just read, to a revision."""
    return patch.undo(
        workload,
        destination.template,
        operation=run.op,
        change_cause=destination.change_cause,
        still=run.target.kind.unmoving(workload) if run.policy.unpause else None,
        heals=run.policy.heal,
    )
