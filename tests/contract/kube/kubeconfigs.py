"""Kubeconfig files for tests: written as JSON, which is YAML."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from backout.kube.config.kubeconfig import load

if TYPE_CHECKING:
    from pathlib import Path

    from backout.kube.connection import Connection

SERVER = "https://kube.example:6443"


def config(
    *,
    cluster: dict[str, Any] | None = None,
    user: dict[str, Any] | None = None,
    context: dict[str, Any] | None = None,
    name: str = "test",
    current: str | None = "test",
) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": SERVER, **(cluster or {})}}],
        "users": [{"name": name, "user": user or {}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, **(context or {})}}],
        **({"current-context": current} if current is not None else {}),
    }


def written(path: Path, content: object) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(path)


def loaded(folder: Path, content: object, **flags: Any) -> Connection:
    """Write the file and load it as `--kubeconfig`, with nothing in the environment."""
    settings: dict[str, Any] = {"context": None, "environ": {}, "home": folder / "home", **flags}
    return load(path=written(folder / "config", content), **settings)
