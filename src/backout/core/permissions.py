"""What backout needs to be allowed, and the Role that grants it (reference owners.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Permission:
    """One `verb` on one `resource` of an API `group`; `subresource` may be empty."""

    verb: str
    group: str
    resource: str
    subresource: str = ""

    def __str__(self) -> str:
        part = f"/{self.subresource}" if self.subresource else ""
        return f"{self.verb} {self.resource}{part}"


WORKLOAD = tuple(
    Permission(verb=v, group="apps", resource="deployments")
    for v in ("get", "list", "watch", "patch")
)
LEDGER = tuple(
    Permission(verb=v, group="coordination.k8s.io", resource="leases")
    for v in ("get", "create", "update")
)
NEEDED = (*WORKLOAD, *LEDGER)
"""Without these an undo is refused before anything is written."""
CREATE_PODS = Permission(verb="create", group="", resource="pods")
ASKED = (*NEEDED, CREATE_PODS)
"""All that is asked about in one round; without the last no Pod is tried as a dry run."""

_OPTIONAL: Mapping[str, str] = {
    "configmaps": '{apiGroups: [""], resources: [configmaps], verbs: [get]}',
    "secrets": '{apiGroups: [""], resources: [secrets], resourceNames: [NAME], verbs: [get]}',
    "services": '{apiGroups: [""], resources: [services], verbs: [list]}',
    "pods/proxy": '{apiGroups: [""], resources: [pods/proxy], verbs: [get]}',
    "services/proxy": '{apiGroups: [""], resources: [services/proxy], verbs: [get]}',
    "pods/log": '{apiGroups: [""], resources: [pods/log], verbs: [get]}',
    "pods": '{apiGroups: [""], resources: [pods, events], verbs: [list, watch]}',
    "events": '{apiGroups: [""], resources: [pods, events], verbs: [list, watch]}',
}
_CORE: Mapping[str, str] = {
    "deployments": "{apiGroups: [apps], resources: [deployments], "
    "verbs: [get, list, watch, patch]}",
    "replicasets": "{apiGroups: [apps], resources: [replicasets], verbs: [list, watch]}",
    "leases": "{apiGroups: [coordination.k8s.io], resources: [leases], "
    "verbs: [get, create, update]}",
}


def rule(resource: str) -> str:
    """Return the Role's rule that grants what backout does with a resource, one line of YAML."""
    return {**_CORE, **_OPTIONAL}.get(resource, "")


def remedy(resource: str) -> str:
    """Return what to ask for where something about a resource is denied."""
    return f"ask for this rule in a Role: {rule(resource)}"
