"""From kubectl's flags to a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backout.kube.config import kubeconfig
from backout.kube.config.flags import Flags
from backout.session.flags import REPLACING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backout.kube.connection import Connection
    from backout.session.process import Process


def connection(flags: Mapping[str, Any], process: Process) -> Connection:
    """Return where to go and as whom, by kubectl's rules; `flags` holds the `FLAGS`.

    Raises ConfigError.
    """
    return kubeconfig.load(
        path=flags["kubeconfig"],
        context=flags["context"],
        cluster=flags["cluster"],
        user=flags["user"],
        namespace=flags["namespace"],
        kuberc=flags["kuberc"] or "",
        flags=Flags(**{name: flags[name] for name in REPLACING if flags[name]}),
        environ=process.environ,
        home=process.home,
    )
