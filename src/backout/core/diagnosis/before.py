"""How things were before a rollout was ours to judge."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct, field

from backout.core.diagnosis import exits, peers, probes
from backout.core.diagnosis.ended import is_over
from backout.core.diagnosis.readiness import Others, warm_up
from backout.core.kubernetes import objects
from backout.core.references import references
from backout.core.references.references import Referent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from backout.core.diagnosis.exits import Exit
    from backout.core.kinds.kind import Kind
    from backout.core.model import Object

DEADLINE = 600
"""Seconds of the progress deadline where the workload sets none."""


class Before(Struct, frozen=True, kw_only=True):
    """How things were before our PATCH, or where we only look, at our first look.

    `restarts` are counts by Pod UID and container name, `exits` the exits known by then, `broken`
    UIDs of Pods that were not Ready, `over` of those that had ended: history. `since` is the
    server's time: older events do not count. `others` is what the workload's other Pods and
    revisions tell about a good one. `standing` is how many Pods were Ready where others stood by
    (active and passive), else 0.
    """

    restarts: Mapping[tuple[str, str], int] = field(default_factory=dict)
    exits: Mapping[tuple[str, str], Exit] = field(default_factory=dict)
    broken: frozenset[str] = frozenset()
    over: frozenset[str] = frozenset()
    since: datetime | None = None
    others: Others = field(default_factory=Others)
    standing: int = 0


def before(
    pods: Iterable[Object],
    since: datetime,
    templates: Iterable[Object] = (),
    *,
    deadline: int = DEADLINE,
    ran: bool = False,
) -> Before:
    """Return how things were, from the Pods as read before the PATCH.

    `templates` are the Pod templates of the other revisions, `deadline` is the progress deadline in
    seconds; `ran`: the target has run before.
    """
    listed = list(pods)
    return Before(
        restarts={
            (objects.uid(p), str(s.get("name"))): int(s.get("restartCount") or 0)
            for p in listed
            for s, _ in objects.container_statuses(p)
        },
        exits=exits.seen({}, listed),
        broken=frozenset(objects.uid(p) for p in listed if not objects.is_ready(p)),
        over=_over(listed),
        since=since,
        others=others_of(listed, templates, deadline=deadline, ran=ran),
        standing=peers.standing_by(listed, since),
    )


def first_look(
    pods: Iterable[Object],
    now: datetime,
    templates: Iterable[Object] = (),
    *,
    deadline: int = DEADLINE,
    ran: bool = False,
) -> Before:
    """Return what a rollout is judged against by who only looks.

    All of it counts, but Pods that have ended by now. `templates` are those of the other revisions.
    """
    listed = list(pods)
    return Before(
        over=_over(listed),
        others=others_of(listed, templates, deadline=deadline, ran=ran),
        standing=peers.standing_by(listed, now),
    )


def others_of(
    pods: Iterable[Object],
    templates: Iterable[Object],
    *,
    deadline: int = DEADLINE,
    ran: bool = False,
) -> Others:
    """Return what a workload's Pods, and its other revisions' templates, tell of a good one."""
    listed = list(templates)
    return Others(
        warm_up=warm_up(pods),
        asked=probes.readiness_of(listed),
        secrets=frozenset(
            use.reference.name
            for one in listed
            for use in references.of_template(one)
            if use.reference.kind is Referent.SECRET
        ),
        ran=ran,
        deadline=timedelta(seconds=deadline),
    )


def progress_deadline(workload: Object, kind: Kind) -> int:
    """Return the seconds that a rollout may be without progress; 600 where there is no limit."""
    seconds = kind.deadline(workload)
    return DEADLINE if seconds is None else seconds


def _over(pods: Iterable[Object]) -> frozenset[str]:
    return frozenset(objects.uid(p) for p in pods if is_over(p))
