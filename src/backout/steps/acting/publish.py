"""Emits a Kubernetes Event on the workload, so that `kubectl describe` tells what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.errors import BackoutError
from backout.core.events.told import Noted
from backout.core.kubernetes import objects
from backout.core.outcome import Outcome, Result
from backout.kube import paths

if TYPE_CHECKING:
    from backout.core.model import Object
    from backout.steps.run import Run

PATIENCE = 5.0
"""Seconds: the outcome is known, and nobody waits for its announcement."""

_REASONS = {
    Result.SUCCEEDED: ("Normal", "RollbackSucceeded"),
    Result.FAILED: ("Warning", "RollbackFailed"),
}


async def publish(run: Run, workload: Object, outcome: Outcome) -> None:
    """Create the Event; without the permission it is said and the rollback is none the worse."""
    kind, reason = _REASONS.get(outcome.result, ("Warning", "RollbackUndecided"))
    stamp = run.server_now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    body = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "generateName": f"{run.target.stem}-backout-",
            "namespace": run.target.namespace,
        },
        "involvedObject": {
            "apiVersion": run.target.kind.resource.api_version,
            **run.target.reference,
            "uid": objects.uid(workload),
            "resourceVersion": objects.resource_version(workload),
        },
        "type": kind,
        "reason": reason,
        "message": run.session.mask.text(f"{outcome.whole} (traceID={run.trace_id})")[:1024],
        "source": {"component": "backout"},
        "reportingComponent": "backout",
        "reportingInstance": run.identity.host,
        "firstTimestamp": stamp[:19] + "Z",
        "lastTimestamp": stamp[:19] + "Z",
        "count": 1,
    }
    try:
        await run.client.create(paths.events(run.target.namespace), body, timeout=PATIENCE)
    except BackoutError as error:
        run.say(Noted(message=f"no Event on {run.target}: {error.message}"))
