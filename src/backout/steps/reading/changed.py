"""When a ConfigMap that lacks a key was changed, and by whom: the first question of an incident."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.diagnosis.containers import missing_key
from backout.core.errors import BackoutError
from backout.core.events.told import Noted
from backout.core.kubernetes.managed_fields import last_change
from backout.core.spans import span
from backout.kube import paths

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backout.core.diagnosis.causes import Cause
    from backout.steps.run import Run


async def tell_change(run: Run, causes: Sequence[Cause]) -> None:
    """Say when the ConfigMap or Secret of the root cause was last changed; values are not read.

    What may not be read is passed over: the cause itself has been told.
    """
    lacking = missing_key(causes[0].evidence) if causes else None
    if lacking is None:
        return
    try:
        found = await run.client.metadata(
            paths.named(run.target.namespace, lacking.kind, lacking.name)
        )
    except BackoutError:
        return
    change = last_change(found, "data", "binaryData")
    if change is not None:
        ago = span(run.server_now(), since=change.at)
        words = f"{lacking.kind} {lacking.name} was last changed {ago} ago by {change.by}"
        run.say(Noted(message=words))
