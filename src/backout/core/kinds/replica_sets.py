"""ReplicaSets -> the history of the Deployment that controls them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from backout.core.kubernetes import objects, template
from backout.core.model import CHANGE_CAUSE, Revision

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from backout.core.model import Object

NUMBER = "deployment.kubernetes.io/revision"
EARLIER = "deployment.kubernetes.io/revision-history"
"""The numbers that a ReplicaSet had before it was made current again, by commas.

Source: SetNewReplicaSetAnnotations, kubernetes pkg/controller/deployment/util/deployment_util.go.
"""
_INTEGER = re.compile(r"[+-]?[0-9]{1,30}")


def template_of(replica_set: Object) -> Object | None:
    """Return its Pod template, None where something else was sent in its place."""
    found = objects.dig(replica_set, "spec", "template")
    return found if isinstance(found, dict) else None


def history(
    workload: Object, replica_sets: Iterable[Object], pods: Iterable[Object]
) -> tuple[Revision, ...]:
    """Return the workload's revisions, newest number first.

    Of several ReplicaSets with the wanted template the oldest is current, as the controller has it
    (FindNewReplicaSet, kubernetes pkg/controller/deployment/util/deployment_util.go).
    """
    owned = [r for r in replica_sets if objects.is_controlled_by(r, objects.uid(workload))]
    owned.sort(key=objects.age)
    hashed = [(r, template.digest(r["spec"]["template"])) for r in owned]
    wanted = template.digest(workload["spec"]["template"])
    now = next((r for r, digest in hashed if digest == wanted), None)
    by_owner = _by_owner(pods)
    revisions = [
        _revision(r, digest, by_owner.get(objects.uid(r), ()), is_current=r is now)
        for r, digest in hashed
    ]
    return tuple(sorted(revisions, key=lambda r: (r.number, *objects.age(r.stored)), reverse=True))


def _by_owner(pods: Iterable[Object]) -> dict[str, list[Object]]:
    """Return the Pods that are not being deleted, by the UID of what controls them."""
    found: dict[str, list[Object]] = {}
    for pod in pods:
        if not objects.dig(pod, "metadata", "deletionTimestamp"):
            found.setdefault(objects.controller_uid(pod), []).append(pod)
    return found


def _revision(
    replica_set: Object, digest: str, pods: Iterable[Object], *, is_current: bool
) -> Revision:
    own = tuple(pods)
    notes = objects.annotations_of(replica_set)
    number = _number(notes)
    return Revision(
        number=number or 0,
        stored=replica_set,
        template=replica_set["spec"]["template"],
        hash=digest,
        change_cause=notes.get(CHANGE_CAUSE, ""),
        created=objects.timestamp(objects.dig(replica_set, "metadata", "creationTimestamp")),
        pods=own,
        ready=sum(objects.is_ready(p) for p in own),
        is_current=is_current,
        is_numbered=number is not None,
        earlier=tuple(n.strip() for n in notes.get(EARLIER, "").split(",") if n.strip()),
    )


def _number(notes: Mapping[str, str]) -> int | None:
    """Return the number, 0 where there is none, None where kubectl cannot read it.

    It must be an int64 for Go's ParseInt.
    """
    text = notes.get(NUMBER, "0")
    is_readable = _INTEGER.fullmatch(text) is not None and abs(int(text)) < 2**63
    return int(text) if is_readable else None
