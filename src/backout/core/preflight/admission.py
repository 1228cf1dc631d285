"""What the API server's dry runs say, and what that proves (docs/facts/api-server.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from backout.core.kubernetes import objects

if TYPE_CHECKING:
    from backout.core.kinds.kind import Kind
    from backout.core.model import Object, Revision

_BY_POLICY = ("exceeded quota", "failed quota", "admission webhook", "ValidatingAdmissionPolicy")


class DryRun(Struct, frozen=True, kw_only=True):
    """The answer to one: `refused` says why not, empty where it passed.

    `template` is the Pod template as the server would keep it, `warnings` what it warned of.
    """

    refused: str = ""
    template: Object | None = None
    warnings: tuple[str, ...] = ()


def is_of_policy(refused: str) -> bool:
    """Tell whether a Pod was refused by a quota or a policy: the controller may fare otherwise.

    It makes the real Pods as itself, and the bad Pods that go may be what fills the quota.
    """
    return any(word in refused for word in _BY_POLICY)


def pod_of(workload: Object, revision: Revision, kind: Kind) -> dict[str, Any]:
    """Return a Pod of a revision, as its controller would make it, owned by nothing.

    Source: kubernetes pkg/controller/controller_utils.go (GetPodFromTemplate).
    """
    template = kind.as_made(workload, revision.template)
    metadata = objects.dig(template, "metadata", default={})
    kept = {k: metadata[k] for k in ("labels", "annotations", "finalizers") if metadata.get(k)}
    name = objects.name(revision.stored) or objects.name(workload)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**kept, "generateName": f"{name}-"},
        "spec": template["spec"],
    }
