"""ControllerRevisions -> the history of the StatefulSet or DaemonSet that controls them.

Each holds a template as a patch. Their annotations are those of the workload when they were made,
and nothing writes them later; which one is current no field of them tells (measured on 1.34.4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.kinds.kind import Resource
from backout.core.kubernetes import objects, template
from backout.core.kubernetes.labels import REVISION_HASH
from backout.core.model import CHANGE_CAUSE, Revision

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from backout.core.model import Object

RESOURCE = Resource(
    group="apps", version="v1", name="ControllerRevision", plural="controllerrevisions"
)
RENUMBERED = ("",)
"""The earlier numbers of one that has another now: that it had one is all that can be told."""


def template_of(stored: Object) -> Object | None:
    """Return the Pod template, without what makes it a patch; None where there is none."""
    found = objects.dig(stored, "data", "spec", "template")
    if not isinstance(found, dict):
        return None
    return {key: value for key, value in found.items() if key != "$patch"}


def history(
    workload: Object,
    stored: Iterable[Object],
    pods: Iterable[Object],
    label_of: Callable[[Object], str],
) -> tuple[Revision, ...]:
    """Return the workload's revisions, newest number first.

    `label_of` returns what the Pods of a ControllerRevision have in their label. Of several with
    the wanted template the controller takes the newest number (FindEqualRevisions in kubernetes
    pkg/controller/history; constructHistory in pkg/controller/daemon/update.go).
    """
    uid = objects.uid(workload)
    owned = [one for one in stored if objects.is_controlled_by(one, uid)]
    found = [(one, template_of(one) or {}) for one in owned]
    hashed = sorted(
        ((one, made, template.digest(made)) for one, made in found),
        key=lambda entry: (_number(entry[0]), *objects.age(entry[0])),
        reverse=True,
    )
    wanted = template.digest(workload["spec"]["template"])
    now = next((one for one, _, digest in hashed if digest == wanted), None)
    own = _by_label(uid, pods)
    return tuple(
        Revision(
            number=_number(one),
            stored=one,
            template=made,
            hash=digest,
            change_cause=objects.annotations_of(one).get(CHANGE_CAUSE, ""),
            created=objects.timestamp(objects.dig(one, "metadata", "creationTimestamp")),
            pods=tuple(own.get(label_of(one), ())),
            ready=sum(map(objects.is_ready, own.get(label_of(one), ()))),
            is_current=one is now,
            earlier=RENUMBERED if _was_renumbered(one, owned) else (),
            place=(objects.name(one),),
        )
        for one, made, digest in hashed
    )


def _number(stored: Object) -> int:
    return int(objects.dig(stored, "revision", default=0))


def _was_renumbered(one: Object, owned: Sequence[Object]) -> bool:
    """Tell whether it had a smaller number once.

    One that was made later has a smaller one. Or there is a gap below its number, and none that was
    made before has a greater one: then nobody but itself can have had the number that is missing,
    as the history loses its smallest numbers first.
    """
    number, made = _number(one), _made(one)
    below = [o for o in owned if _number(o) < number]
    if any(_made(other) > made for other in below):
        return True
    has_gap = bool(below) and max(map(_number, below)) < number - 1
    return has_gap and not any(_made(o) <= made and _number(o) > number for o in owned)


def _made(one: Object) -> str:
    return str(objects.dig(one, "metadata", "creationTimestamp", default=""))


def _by_label(uid: str, pods: Iterable[Object]) -> dict[str, list[Object]]:
    """Return the workload's Pods that are not being deleted, by the label of their revision."""
    found: dict[str, list[Object]] = {}
    for pod in pods:
        is_going = objects.dig(pod, "metadata", "deletionTimestamp")
        if objects.is_controlled_by(pod, uid) and not is_going:
            found.setdefault(objects.labels_of(pod).get(REVISION_HASH, ""), []).append(pod)
    return found
