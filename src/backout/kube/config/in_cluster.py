"""A Pod's own way to its API server: the service account's token, CA and namespace.

Source: client-go rest/config.go (InClusterConfig) and tools/clientcmd/client_config.go
(inClusterClientConfig).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from backout.core.errors import ConfigError
from backout.core.text import untrusted
from backout.http.proxies import proxy_for
from backout.kube.connection import Connection, Credentials, Trust
from backout.kube.tls import certificates_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backout.kube.config.flags import Flags

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
FILE_CAP = 1024 * 1024


def is_possible(environ: Mapping[str, str], folder: Path) -> bool:
    """Tell whether this is a Pod with a service account."""
    has_address = environ.get("KUBERNETES_SERVICE_HOST") and environ.get("KUBERNETES_SERVICE_PORT")
    return bool(has_address) and (folder / "token").is_file()


def namespace(environ: Mapping[str, str], folder: Path) -> str:
    """Return the Pod's namespace: POD_NAMESPACE, else the service account's, else default."""
    named = environ.get("POD_NAMESPACE")
    if named:
        return named
    try:
        return _content(folder / "namespace").decode().strip() or "default"
    except (OSError, ValueError):
        return "default"


def connection(environ: Mapping[str, str], folder: Path, *, in_namespace: str) -> Connection:
    """Return the connection; the token is read again every minute (kubelet renews it)."""
    host = environ["KUBERNETES_SERVICE_HOST"]
    host = f"[{host}]" if ":" in host else host
    server = f"https://{host}:{environ['KUBERNETES_SERVICE_PORT']}"
    try:
        _content(folder / "token")
    except OSError as exc:
        reason = (exc.strerror or "unknown").lower()
        path = untrusted(str(folder / "token"))
        raise ConfigError(f"cannot read the service account's token {path}: {reason}") from None
    return Connection(
        server=server,
        context="",
        cluster="",
        user="",
        namespace=in_namespace,
        trust=Trust(ca=_authority(folder)),
        credentials=Credentials(token_file=folder / "token"),
        proxy=proxy_for(server, environ),
        notes=("no kubeconfig: the Pod's service account is used",),
    )


def overridden(its: Connection, flags: Flags) -> Connection:
    """Return the Pod's own way with the two flags that kubectl heeds there: token and CA.

    Source: client-go tools/clientcmd/client_config.go, inClusterClientConfig.
    """
    if flags.token:
        its = replace(its, credentials=Credentials(token=flags.token))
    if flags.certificate_authority:
        path = Path(flags.certificate_authority)
        try:
            its = replace(its, trust=Trust(ca=_content(path)))
        except OSError as exc:
            reason = (exc.strerror or "unknown").lower()
            raise ConfigError(
                f"cannot read --certificate-authority {untrusted(str(path))}: {reason}"
            ) from None
    return its


def _authority(folder: Path) -> bytes | None:
    """Return the cluster's CA; where there is none, kubectl trusts the system's, and so do we."""
    try:
        content = _content(folder / "ca.crt")
    except OSError:
        return None
    return content if certificates_in(content) else None


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(FILE_CAP)
