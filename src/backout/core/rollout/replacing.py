"""Which Pod may be deleted because a rollback waits for it in vain: one, and only where that helps.

What a kind says of one (`stuck`) is half of it. The other half is that nothing has changed since:
the workload still asks for the template that we set, and the Pod was not deleted by us before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.history.revisions import of_template
from backout.core.kinds.kind import PodsSeen
from backout.core.kubernetes import objects, template

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from backout.core.kinds.kind import Kind, StuckPod
    from backout.core.model import Object


def to_delete(
    workload: Object,
    kind: Kind,
    stored: Sequence[Object],
    pods: Sequence[Object],
    *,
    uid: str,
    wanted: str,
    now: datetime,
    before: Mapping[str, str],
) -> StuckPod | None:
    """Return the Pod to delete, None where there is none.

    All as just read: `workload` with its history and its Pods, `now` the server's time. `uid` is
    the workload's that was rolled back, `wanted` the hash of the template that it was set to.
    `before` are the names and UIDs of Pods that were deleted: of a name no second one is, for its
    successor is of the wrong template, too, where that comes about.
    """
    is_ours = objects.uid(workload) == uid and not objects.dig(
        workload, "metadata", "deletionTimestamp"
    )
    if not is_ours or template.digest(workload["spec"]["template"]) != wanted:
        return None
    there = of_template(kind.revisions(workload, stored, pods), wanted)
    if there is None:
        return None
    found = kind.stuck(
        workload,
        PodsSeen(
            own=there.pods,
            others=objects.others(pods, there.pods),
            stored=there.stored,
            now=now,
        ),
    )
    if found is None or not (found.is_safe and found.is_due):
        return None
    known = before.get(objects.name(found.pod), objects.uid(found.pod))
    return found if known == objects.uid(found.pod) else None
