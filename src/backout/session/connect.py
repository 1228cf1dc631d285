"""From kubectl's flags to a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backout.kube.connection import Connection
    from backout.session.process import Process

CHOOSING = ("kubeconfig", "context", "cluster", "user", "namespace", "kuberc")
"""kubectl's flags that choose entries and files."""
REPLACING = (
    "server",
    "certificate_authority",
    "insecure_skip_tls_verify",
    "tls_server_name",
    "proxy_url",
    "token",
    "client_certificate",
    "client_key",
    "impersonate",
    "impersonate_groups",
    "impersonate_uid",
    "impersonate_extra",
)
"""kubectl's flags that replace what an entry says."""
FLAGS = (*CHOOSING, *REPLACING)


def connection(flags: Mapping[str, Any], process: Process) -> Connection:
    """Return where to go and as whom, by kubectl's rules; `flags` holds the `FLAGS`.

    Raises ConfigError.
    """
    from backout.kube.config import kubeconfig  # noqa: PLC0415 (not for --help)
    from backout.kube.config.flags import Flags  # noqa: PLC0415 (the same)

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
