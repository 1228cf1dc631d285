"""From kubectl's flags to a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backout.kube.connection import Connection
    from backout.session.process import Process

FLAGS = (
    "kubeconfig",
    "context",
    "cluster",
    "user",
    "namespace",
    "impersonate",
    "impersonate_groups",
)


def connection(flags: Mapping[str, Any], process: Process) -> Connection:
    """Return where to go and as whom, by kubectl's rules; `flags` holds the `FLAGS`.

    Raises ConfigError.
    """
    from backout.kube.config import kubeconfig  # noqa: PLC0415 (not for --help)

    return kubeconfig.load(
        path=flags["kubeconfig"],
        context=flags["context"],
        cluster=flags["cluster"],
        user=flags["user"],
        namespace=flags["namespace"],
        impersonate=flags["impersonate"],
        impersonate_groups=tuple(flags["impersonate_groups"] or ()),
        environ=process.environ,
        home=process.home,
    )
