"""What backout needs to be allowed: one table, from which every Role and remedy is made.

Never in it: secrets list or watch, wildcards, impersonate, pods/exec, update of a workload, scale.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from backout.core.kinds import KINDS
from backout.core.rights.commands import (
    CHECK,
    DIFF,
    EXPLAIN,
    HISTORY,
    LEDGER_SHOWN,
    MARK,
    RESUME,
    STATUS,
    UNDO,
    VERIFY,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backout.core.kinds.kind import Kind, Resource


class Permission(Struct, frozen=True, kw_only=True):
    """One `verb` on one `resource` of an API `group`; `subresource` may be empty."""

    verb: str
    group: str
    resource: str
    subresource: str = ""

    def __str__(self) -> str:
        part = f"/{self.subresource}" if self.subresource else ""
        return f"{self.verb} {self.resource}{part}"


class Level(StrEnum):
    """How a command does without: not at all; it says what it could not verify; it is asked for."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    OPT_IN = "opt-in"


class Grant(Struct, frozen=True, kw_only=True):
    """Verbs on one resource (`pods/log` with its subresource), which commands use them and why.

    `is_cluster_wide`: the resource has no namespace. `is_by_name`: only for the objects named.
    """

    group: str
    resource: str
    verbs: tuple[str, ...]
    commands: frozenset[str]
    level: Level
    why: str
    is_cluster_wide: bool = False
    is_by_name: bool = False

    @property
    def permissions(self) -> tuple[Permission, ...]:
        """Each verb by itself."""
        resource, _, subresource = self.resource.partition("/")
        return tuple(
            Permission(verb=v, group=self.group, resource=resource, subresource=subresource)
            for v in self.verbs
        )


def _grant(
    where: str, verbs: str, commands: Iterable[str], level: Level, why: str, *marks: str
) -> Grant:
    """Return a row of the table: `where` is `group: resource`, `verbs` a list with blanks."""
    group, _, resource = where.rpartition(": ")
    return Grant(
        group=group,
        resource=resource,
        verbs=tuple(verbs.split()),
        commands=frozenset(commands),
        level=level,
        why=why,
        is_cluster_wide="cluster" in marks,
        is_by_name="named" in marks,
    )


_LEASES = "coordination.k8s.io: leases"
_ALL = (UNDO, CHECK, STATUS, VERIFY, EXPLAIN, RESUME, MARK)
_WATCHING = (UNDO, STATUS, VERIFY, RESUME)
_PREFLIGHT = (UNDO, CHECK)
_ROLLBACK = (UNDO, RESUME)
_PODS = "which Pods are Ready, and why others are not"
_LOOKING = (HISTORY, DIFF)
_REQUIRED, _OPTIONAL, _OPT_IN = Level.REQUIRED, Level.OPTIONAL, Level.OPT_IN


def _of_kind(kind: Kind) -> tuple[Grant, ...]:
    """Return the rows of a workload and its history."""
    own, stored = _where(kind.resource), _where(kind.stored)
    return (
        _grant(own, "get", (*_ALL, *_LOOKING), _REQUIRED, "the workload"),
        _grant(own, "list", _LOOKING, _OPTIONAL, "what a mistyped name may have meant"),
        _grant(own, "get", (LEDGER_SHOWN,), _OPTIONAL, "the numbers that revisions have now"),
        _grant(own, "list watch", (*_WATCHING, CHECK, MARK), _REQUIRED, "its rollout"),
        _grant(own, "patch", _ROLLBACK, _REQUIRED, "the rollback itself"),
        _grant(stored, "list", (*_ALL, *_LOOKING), _REQUIRED, "the history"),
        _grant(stored, "list", (LEDGER_SHOWN,), _OPTIONAL, "the numbers that revisions have now"),
        _grant(stored, "watch", _WATCHING, _REQUIRED, "the history"),
    )


def _dry_run(kind: Kind) -> Grant:
    why = "the server's dry run of the patch"
    return _grant(_where(kind.resource), "patch", (CHECK,), _OPT_IN, why)


def _where(resource: Resource) -> str:
    return f"{resource.group}: {resource.plural}"


TABLE = (
    *(grant for kind in KINDS for grant in _of_kind(kind)),
    _grant(_LEASES, "get", (*_ROLLBACK, LEDGER_SHOWN, MARK), _REQUIRED, "the lock and the ledger"),
    _grant(_LEASES, "create update", (*_ROLLBACK, MARK), _REQUIRED, "the lock and the ledger"),
    _grant(_LEASES, "list", (LEDGER_SHOWN,), _OPTIONAL, "to list all ledgers"),
    _grant(_LEASES, "get", (CHECK, *_LOOKING), _OPTIONAL, "the ledger"),
    _grant(_LEASES, "get create update", (VERIFY,), _OPTIONAL, "to remember that it was healthy"),
    _grant(_LEASES, "get", (STATUS, EXPLAIN), _OPTIONAL, "earlier rollbacks"),
    _grant(": pods", "list", (*_ALL, *_LOOKING), _OPTIONAL, _PODS),
    _grant(": pods", "watch", _WATCHING, _OPTIONAL, _PODS),
    _grant(": events", "list", (*_WATCHING, EXPLAIN), _OPTIONAL, "why Pods are not Ready"),
    _grant(": events", "watch", _WATCHING, _OPTIONAL, "why Pods are not Ready"),
    _grant(": events", "create", _ROLLBACK, _OPTIONAL, "an Event on the workload"),
    _grant(": services", "list", (*_PREFLIGHT, VERIFY, RESUME), _OPTIONAL, "the service's health"),
    _grant(": pods/proxy", "get", _PREFLIGHT, _OPTIONAL, "health of the target's Pods"),
    _grant(
        ": services/proxy",
        "get",
        (*_ROLLBACK, VERIFY),
        _OPTIONAL,
        "the service's health, asked end to end",
    ),
    _grant(": pods/log", "get", (*_WATCHING, EXPLAIN), _OPTIONAL, "last lines of what fails"),
    _grant(": configmaps", "get", _ALL[:-1], _OPTIONAL, "what the Pod template names"),
    _grant(": serviceaccounts", "get", _PREFLIGHT, _OPTIONAL, "what the Pod template names"),
    _grant(": persistentvolumeclaims", "get", _PREFLIGHT, _OPTIONAL, "what the Pod template names"),
    _grant(": resourcequotas", "list", _PREFLIGHT, _OPTIONAL, "whether new Pods fit the quota"),
    _grant(": limitranges", "list", _PREFLIGHT, _OPTIONAL, "what Pods get by default"),
    _grant(
        "policy: poddisruptionbudgets",
        "list",
        _PREFLIGHT,
        _OPTIONAL,
        "whether Pods may be replaced",
    ),
    _grant(
        "autoscaling: horizontalpodautoscalers",
        "list",
        _PREFLIGHT,
        _OPTIONAL,
        "whether Pods may be replaced",
    ),
    _grant(
        ": secrets",
        "get",
        _ALL[:-1],
        _OPTIONAL,
        "Secrets that the Pod template names; never listed",
        "named",
    ),
    _grant("argoproj.io: applications", "get", _PREFLIGHT, _OPT_IN, "whether Argo CD puts it back"),
    _grant("argoproj.io: rollouts", "list", _PREFLIGHT, _OPT_IN, "which Argo Rollout uses it"),
    _grant("flagger.app: canaries", "list", _PREFLIGHT, _OPT_IN, "which Canary watches it"),
    _grant(
        "kustomize.toolkit.fluxcd.io: kustomizations",
        "get",
        _PREFLIGHT,
        _OPT_IN,
        "whether Flux puts it back",
    ),
    _grant(
        "helm.toolkit.fluxcd.io: helmreleases",
        "get",
        _PREFLIGHT,
        _OPT_IN,
        "whether Flux puts it back",
    ),
    *map(_dry_run, KINDS),
    _grant(
        _LEASES,
        "create update",
        (CHECK,),
        _OPT_IN,
        "not used: whether you may is asked, and PF804 says no",
    ),
    _grant(": pods", "create", _PREFLIGHT, _OPT_IN, "a dry run of one Pod"),
    _grant(": pods", "create delete", (UNDO,), _OPT_IN, "a trial Pod, only with --rehearse"),
    _grant(": pods", "delete", _ROLLBACK, _OPT_IN, "stuck Pods, only with --replace-stuck-pods"),
    _grant(": nodes", "list", _ALL[:-1], _OPTIONAL, "whether nodes are the cause", "cluster"),
    _grant(": pods", "list", _PREFLIGHT, _OPT_IN, "what takes room on the nodes", "cluster"),
    _grant(
        "scheduling.k8s.io: priorityclasses",
        "get",
        _PREFLIGHT,
        _OPTIONAL,
        "what the Pod template names",
        "cluster",
    ),
    _grant(
        "node.k8s.io: runtimeclasses",
        "get",
        _PREFLIGHT,
        _OPTIONAL,
        "what the Pod template names",
        "cluster",
    ),
    _grant(
        "storage.k8s.io: storageclasses",
        "get",
        _PREFLIGHT,
        _OPTIONAL,
        "what its claims name",
        "cluster",
    ),
)


def grants(command: str) -> tuple[Grant, ...]:
    """Return the rows of a command."""
    return tuple(g for g in TABLE if command in g.commands)


def _required(resource: str, rows: Iterable[Grant]) -> tuple[Permission, ...]:
    wanted = (g for g in rows if g.level is _REQUIRED and g.resource == resource)
    return tuple(p for g in wanted if UNDO in g.commands for p in g.permissions)


def workload(kind: Kind) -> tuple[Permission, ...]:
    """Return what an undo does with the workload: without it nothing is written."""
    return _required(kind.resource.plural, _of_kind(kind))


LEDGER = _required("leases", TABLE)
"""What an undo does with the Lease: without it nothing is written."""
CREATE_PODS = Permission(verb="create", group="", resource="pods")
DELETE_PODS = Permission(verb="delete", group="", resource="pods")
DELETE_RULE = '{apiGroups: [""], resources: [pods], verbs: [delete]}'
REHEARSAL_RULE = '{apiGroups: [""], resources: [pods], verbs: [create, delete, list, watch]}'
REHEARSAL = (
    CREATE_PODS,
    *(Permission(verb=v, group="", resource="pods") for v in ("delete", "list", "watch")),
)
"""Without these no trial Pod is made."""


def asked(kind: Kind, *, ledger_is_local: bool, deletes: bool) -> tuple[Permission, ...]:
    """Return what is asked about before the intent, in one round.

    A ledger in a file needs no right to Leases; without the last no Pod is tried as a dry run.
    `deletes`: Pods that hold the rollback up are to be deleted.
    """
    ledger = () if ledger_is_local else LEDGER
    return (*workload(kind), *ledger, *((DELETE_PODS,) if deletes else ()), CREATE_PODS)


def rule(resource: str, kind: Kind | None = None) -> str:
    """Return the Role's rule that grants what `undo` does with a resource, one line of YAML.

    `kind` is of the workload that the resource may be, or be the history of.
    """
    table = (*(_of_kind(kind) if kind is not None else ()), *TABLE)
    wanted = [g for g in table if g.resource == resource and UNDO in g.commands]
    rows = [g for g in wanted if g.level is not _OPT_IN]
    if not rows:
        return ""
    verbs = tuple(dict.fromkeys(v for g in rows for v in g.verbs))
    return line(rows[0], verbs, ("NAME",) if rows[0].is_by_name else ())


def line(grant: Grant, verbs: Iterable[str], names: Iterable[str] = ()) -> str:
    """Return a rule of a Role as one line of YAML."""
    group = grant.group or '""'
    only = ", ".join(names)
    named = f"resourceNames: [{only}], " if only else ""
    return (
        f"{{apiGroups: [{group}], resources: [{grant.resource}], {named}"
        f"verbs: [{', '.join(verbs)}]}}"
    )


def remedy(resource: str, kind: Kind | None = None) -> str:
    """Return what to ask for where something about a resource is denied."""
    return f"ask for this rule in a Role: {rule(resource, kind)}"


ROLE = "backout rbac --for undo prints the Role that grants it"
_DENIED = (
    re.compile(r"cannot ([a-z]+) resource \"([a-z0-9./-]+)\""),
    re.compile(r"\byou may not ([a-z]+) ([a-z0-9./-]+)"),
)


def denied(why: str) -> str:
    """Return `verb resource` where a reason is that it is not allowed; else empty."""
    found = next((m for form in _DENIED if (m := form.search(why))), None)
    return f"{found[1]} {found[2]}" if found else ""
