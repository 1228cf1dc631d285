"""From the common options to a connection."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backout.kube.config.connection import Connection

FLAGS = (
    "kubeconfig",
    "context",
    "cluster",
    "user",
    "namespace",
    "impersonate",
    "impersonate_groups",
)


def connection(values: Mapping[str, Any]) -> Connection:
    """Return where to go and as whom, by kubectl's rules; `values` holds the `FLAGS`.

    Raises ConfigError.
    """
    from backout.kube.config import kubeconfig  # noqa: PLC0415 (not for --help)

    return kubeconfig.load(
        path=values["kubeconfig"],
        context=values["context"],
        cluster=values["cluster"],
        user=values["user"],
        namespace=values["namespace"],
        impersonate=values["impersonate"],
        impersonate_groups=tuple(values["impersonate_groups"] or ()),
        environ=os.environ,
        home=Path.home(),
    )
