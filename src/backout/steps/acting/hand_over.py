"""Hands a rollback over that this run may not make: the patch as a line for somebody else."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

from backout.core.events.planning import HandedOver
from backout.core.history import patch

if TYPE_CHECKING:
    from backout.core.plan.plan import Refusal
    from backout.steps.run import Run


def hand_over(run: Run, refusal: Refusal) -> None:
    """Say the exact `kubectl patch`, with its preconditions, where it would be safe to run.

    It carries no marker: no record of ours may take it for its own.
    """
    revision, workload = refusal.handed_over, refusal.workload
    if revision is None or workload is None:
        return
    made = patch.undo(
        workload,
        revision.template,
        operation="",
        change_cause=revision.change_cause,
        still=run.target.kind.unmoving(workload) if run.policy.unpause else None,
    )
    ops = json.dumps(made.ops, separators=(",", ":"), ensure_ascii=True)
    command = (
        f"kubectl patch {run.target} -n {run.target.namespace} {run.kubectl_context}"
        f"--type=json -p {shlex.quote(ops)}"
    )
    run.say(
        HandedOver(
            message=f"somebody who may can go to revision {revision.number} with this line; it "
            "fails where anything has changed meanwhile, and nobody watches it:",
            command=command,
            revision=revision.number,
        )
    )
