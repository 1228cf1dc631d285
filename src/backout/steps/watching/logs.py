"""The last words of a container that failed, of its previous run where it has restarted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.errors import BackoutError, Forbidden
from backout.core.events.told import Noted
from backout.core.events.watching import LogRead
from backout.core.kubernetes import objects
from backout.core.text import masked
from backout.kube import paths
from backout.steps.reading.role import with_role

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from backout.core.diagnosis.causes import Cause
    from backout.core.model import Object
    from backout.steps.run import Run

LINES = 20
PATIENCE = 3.0
"""Seconds: the verdict is known, and its explanation must not hold it up."""
_TELLING = {"CRASH_LOOP", "OOM_KILLED", "INIT_FAILED", "PROBE_LIVENESS", "PROBE_READINESS"}


async def tell_logs(run: Run, pods: Iterable[Object], causes: Sequence[Cause]) -> None:
    """Say the last lines of the container that the root cause is about, secrets masked.

    Without the right to `pods/log` that is said, and nothing else changes.
    """
    root = next((c for c in causes[:1] if c.code in _TELLING and c.container), None)
    pod = next((p for p in pods if root is not None and objects.uid(p) == root.uid), None)
    if root is None or pod is None:
        return
    name, previous = objects.name(pod), _has_restarted(pod, root.container)
    path = paths.logs(run.target.namespace, name)
    try:
        text = await run.client.text(
            path,
            params={
                "container": root.container,
                "tailLines": str(LINES),
                **({"previous": "true"} if previous else {}),
            },
            timeout=PATIENCE,
        )
    except BackoutError as error:
        why = with_role(error, "pods/log") if isinstance(error, Forbidden) else error
        words = f"the log of Pod {name} cannot be read: {error.message}"
        run.say(Noted(message=f"{words}; {why.remedy}" if why.remedy else words))
        return
    # Before it is cut into lines: a private key is many of them.
    lines = masked(text).splitlines()[-LINES:]
    if lines:
        which = "previous run" if previous else "this run"
        run.say(
            LogRead(
                message=f"last lines of container {root.container} of Pod {name} ({which}):",
                lines=tuple(lines),
            )
        )


def _has_restarted(pod: Object, container: str) -> bool:
    """Tell whether the newest run has only begun: what the one before said is what is wanted."""
    status = next(
        (s for s, _ in objects.container_statuses(pod) if s.get("name") == container), None
    )
    is_over = objects.dig(status, "state", "terminated") is not None
    return not is_over and objects.dig(status, "lastState", "terminated") is not None
