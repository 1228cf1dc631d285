"""Which Kubernetes the sandbox runs: one module file a version, the same programs around it.

`kubernetes/go.mod` is the default; `kubernetes/versions/MINOR/go.mod` are the others.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandbox.errors import SandboxError
from sandbox.folders import SOURCES

if TYPE_CHECKING:
    from pathlib import Path

VARIABLE = "BACKOUT_SANDBOX_KUBERNETES"
DEFAULT = "1.34"
MODULE = SOURCES / "kubernetes"


def module_file() -> Path:
    """Return the module file of the version that is asked for; raises SandboxError for others."""
    wanted = os.environ.get(VARIABLE) or DEFAULT
    if wanted == DEFAULT:
        return MODULE / "go.mod"
    others = {file.parent.name: file for file in MODULE.glob("versions/*/go.mod")}
    if wanted not in others:
        known = ", ".join([DEFAULT, *sorted(others)])
        raise SandboxError(f"there is no Kubernetes {wanted} here: {VARIABLE} may be {known}")
    return others[wanted]
