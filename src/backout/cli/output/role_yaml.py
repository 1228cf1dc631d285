"""The least Role of a command, as YAML that `kubectl apply -f -` takes."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from msgspec import Struct

from backout.core.rights import permissions
from backout.core.rights.commands import CHECK
from backout.core.rights.permissions import Grant, Level

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

RBAC = "rbac.authorization.k8s.io"
_NOTES = {
    CHECK: "# With these alone, check of one workload says that you may not undo it:\n"
    "# PF803 and PF804, exit 3. Of several (--all, -A, -l, two names) it skips both and says so.\n",
}
_HEADINGS = {
    Level.REQUIRED: "Required.",
    Level.OPTIONAL: "Optional: backout works without these, and says what it could not check.",
    Level.OPT_IN: "Off: remove the # before the - of what you want to allow.",
}


class Grantee(Struct, frozen=True, kw_only=True):
    """Whom a Role is bound to: a ServiceAccount with its namespace, a User or a Group."""

    kind: str
    name: str
    namespace: str = ""


class Wanted(Struct, frozen=True, kw_only=True):
    """Which Role: of which command, called what, where, for which Secrets and for whom.

    `namespace` may be empty: kubectl's own then. `is_namespaced`: no ClusterRole.
    """

    command: str
    name: str
    namespace: str = ""
    secrets: tuple[str, ...] = ()
    subjects: tuple[Grantee, ...] = ()
    is_namespaced: bool = False


def manifest(wanted: Wanted) -> str:
    """Return the Role, the optional ClusterRole, and what binds them to the subjects."""
    rows = permissions.grants(wanted.command)
    inside = [g for g in rows if not g.is_cluster_wide]
    wide = [] if wanted.is_namespaced else [g for g in rows if g.is_cluster_wide]
    documents = [_role(wanted, "Role", inside)]
    if wide:
        documents.append(_role(wanted, "ClusterRole", wide))
    if wanted.subjects:
        documents += [
            _binding(wanted, "Role"),
            *([_binding(wanted, "ClusterRole")] if wide else []),
        ]
    return "---\n".join(documents)


def _role(wanted: Wanted, kind: str, rows: list[Grant]) -> str:
    words = {
        "Role": f"# The rights that backout {wanted.command} needs in a namespace, and no more.\n"
        + _NOTES.get(wanted.command, ""),
        "ClusterRole": "# Optional: what is in no namespace. --namespaced leaves this out.\n",
    }
    sections = ("\n".join(f"  {line}" for line in _section(wanted, level, rows)) for level in Level)
    rules = "\n\n".join(s for s in sections if s)
    return words[kind] + _head(wanted, kind, wanted.name) + f"rules:\n{rules}\n"


def _section(wanted: Wanted, level: Level, rows: list[Grant]) -> Iterator[str]:
    """Yield the rules of one level under its heading, those for one purpose together."""
    merged: dict[tuple[str, ...], list[Grant]] = {}
    for row in (r for r in rows if r.level is level):
        apart = (row.why,) if level is Level.OPT_IN else ()
        merged.setdefault((row.group, row.resource, *apart), []).append(row)
    if merged:
        yield f"# {_HEADINGS[level]}"
    told: dict[str, list[str]] = {}
    for same in merged.values():
        verbs = dict.fromkeys(v for g in same for v in g.verbs)
        why = "; ".join(dict.fromkeys(g.why for g in same))
        is_unnamed = same[0].is_by_name and not wanted.secrets
        off = "#" if level is Level.OPT_IN or is_unnamed else ""
        names = (wanted.secrets or ("NAME",)) if same[0].is_by_name else ()
        more = " (name them: --secret NAME)" if is_unnamed else ""
        quoted = [_quoted(n) if wanted.secrets else n for n in names]
        rule = f"{off}- {permissions.line(same[0], verbs, quoted)}"
        told.setdefault(f"{why}{more}", []).append(rule)
    for why, rules in told.items():
        yield from (f"# {why}:", *rules)


def _binding(wanted: Wanted, kind: str) -> str:
    """Bind under a name of the subjects' own: another's binding is not overwritten."""
    subjects = [_subject(s) for s in wanted.subjects]
    digest = hashlib.sha256("\n".join(sorted(subjects)).encode()).hexdigest()[:8]
    reference = {"apiGroup": RBAC, "kind": kind, "name": wanted.name}
    lines = [f"roleRef: {_quoted(reference)}", "subjects:", *(f"  - {s}" for s in subjects)]
    return _head(wanted, f"{kind}Binding", f"{wanted.name}-{digest}") + "\n".join(lines) + "\n"


def _subject(one: Grantee) -> str:
    if one.kind == "ServiceAccount":
        return _quoted({"kind": one.kind, "name": one.name, "namespace": one.namespace})
    return _quoted({"apiGroup": RBAC, "kind": one.kind, "name": one.name})


def _head(wanted: Wanted, kind: str, name: str) -> str:
    """Return the lines that every object begins with."""
    where = wanted.namespace if not kind.startswith("Cluster") else ""
    metadata: Iterable[str] = (
        f"  name: {_quoted(name)}",
        *([f"  namespace: {_quoted(where)}"] if where else []),
    )
    return "\n".join([f"apiVersion: {RBAC}/v1", f"kind: {kind}", "metadata:", *metadata]) + "\n"


def _quoted(value: object) -> str:
    """Return a name or a mapping as JSON, which is YAML whatever is in it; astral letters too."""
    return json.dumps(value, ensure_ascii=False)
