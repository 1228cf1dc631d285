"""Owners that refer to a workload from an object of their own: nothing on the workload tells.

Argo Rollouts take their template from it (`workloadRef`), a Flagger Canary analyses each change of
it before traffic goes there (`targetRef`); in both the Pods that serve are not its own.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from msgspec import Struct

from backout.core.kubernetes import objects
from backout.core.owners.owners import Owner, Policy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backout.core.kinds.kind import Kind
    from backout.core.model import Object


class Referring(Struct, frozen=True, kw_only=True):
    """A kind whose objects refer to a workload.

    `reference` is where its spec does, `words` what goes its own way, with NAME and NAMESPACE.
    """

    tool: str
    group: str
    version: str
    plural: str
    reference: str
    words: tuple[str, ...]
    does: str


REFERRING = (
    Referring(
        tool="Argo Rollouts",
        group="argoproj.io",
        version="v1alpha1",
        plural="rollouts",
        reference="workloadRef",
        words=("kubectl", "argo", "rollouts", "undo", "NAME", "-n", "NAMESPACE"),
        does="starts a rollout of its own, such as a canary, whenever that template changes",
    ),
    Referring(
        tool="Flagger",
        group="flagger.app",
        version="v1beta1",
        plural="canaries",
        reference="targetRef",
        words=("kubectl", "describe", "canaries.flagger.app", "NAME", "-n", "NAMESPACE"),
        does="starts an analysis whenever that template changes, and its copy is what serves",
    ),
)


def is_served(one: Referring, kinds: Object) -> bool:
    """Tell whether such are among what the API server serves (an APIResourceList)."""
    served = objects.dig(kinds, "resources", default=[])
    return isinstance(served, list) and any(objects.dig(r, "name") == one.plural for r in served)


def owners_of(
    one: Referring, workload: Object, kind: Kind, found: Iterable[Object]
) -> tuple[Owner, ...]:
    """Return each of these objects that refers to the workload, as its owner."""
    namespace = str(objects.dig(workload, "metadata", "namespace", default=""))
    wanted = (kind.resource.name, objects.name(workload))
    names = [
        objects.name(item)
        for item in found
        if tuple(objects.dig(item, "spec", one.reference, k) for k in ("kind", "name")) == wanted
    ]
    return tuple(
        Owner(
            tool=one.tool,
            name=name,
            policy=Policy.REVERTS,
            command=_command(one, name, namespace),
            does=one.does,
        )
        for name in names
    )


def _command(one: Referring, name: str, namespace: str) -> str:
    filled = {"NAME": name, "NAMESPACE": namespace}
    return shlex.join(filled.get(word, word) for word in one.words)
