"""Hands a rollback over that this run may not make: the patch as a line for somebody else."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

from backout.core.events.planning import HandedOver
from backout.core.history import patch

if TYPE_CHECKING:
    from backout.core.model import Object
    from backout.core.plan.plan import Refusal
    from backout.steps.run import Run


def hand_over(run: Run, refusal: Refusal) -> None:
    """Say the exact `kubectl patch`, with its preconditions, where it would be safe to run.

    It carries no marker: no record of ours may take it for its own.
    """
    revision, workload = refusal.handed_over, refusal.snapshot.workload
    if revision is None:
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
    if not run.policy.show_values and _holds_secret(run, revision.template, command):
        run.say(_without_values(run, revision.number))
        return
    run.say(
        HandedOver(
            message=f"someone with permission can roll back to revision {revision.number} with "
            "this command; it fails if anything has changed meanwhile, and nobody watches it:",
            command=command,
            revision=revision.number,
        )
    )


def _without_values(run: Run, number: int) -> HandedOver:
    return HandedOver(
        message=f"someone with permission can roll back to revision {number} with this command, "
        "which has no preconditions; the one that has them holds what looks like a secret, and "
        "--show-values prints it:",
        command=f"kubectl rollout undo {run.target} -n {run.target.namespace} "
        f"{run.kubectl_context}--to-revision={number}",
        revision=number,
    )


def _holds_secret(run: Run, template: Object, command: str) -> bool:
    """Tell whether the line could not be told whole."""
    spec = template["spec"]
    containers = [*spec.get("initContainers", ()), *spec.get("containers", ())]
    given = [
        f"{e['name']}={e['value']}" for c in containers for e in c.get("env", ()) if e.get("value")
    ]
    return any(run.session.mask.text(one) != one for one in (command, *given))
