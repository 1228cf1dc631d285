"""What Argo CD is told to overlook: an Application's `ignoreDifferences`.

Source: argo-cd util/argo/normalizers/diff_normalizer.go. Self-heal acts on what differs; whether a
sync for another reason writes the field again is a matter of RespectIgnoreDifferences.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from backout.core.kubernetes import objects

if TYPE_CHECKING:
    from backout.core.model import Object

_TEMPLATE = re.compile(r"^/spec(?:/template(?:/.*)?)?$|^\.spec(?:\.template\b.*)?$")


def is_overlooked(spec: Object, about: str) -> bool:
    """Tell whether an Application overlooks (a part of) a workload's Pod template.

    `about` is the workload as `group/Kind/name`.
    """
    group, kind, name = about.split("/")
    return any(
        _is_about(entry, group, kind, name) and any(_TEMPLATE.match(path) for path in _paths(entry))
        for entry in objects.dig(spec, "ignoreDifferences", default=[])
    )


def _is_about(entry: Object, group: str, kind: str, name: str) -> bool:
    return (
        entry.get("group") in {group, "*"}
        and entry.get("kind") in {kind, "*"}
        and entry.get("name") in {None, "", name}
    )


def _paths(entry: Object) -> list[str]:
    listed = [*(entry.get("jsonPointers") or ()), *(entry.get("jqPathExpressions") or ())]
    return [str(path) for path in listed]
