"""A kubeconfig and the flags -> one Connection, by kubectl's rules.

Source: client-go tools/clientcmd (client_config.go, merged_client_builder.go, validation.go), and
measured against kubectl itself (tests/contract/kubectl). No file of the working directory is read
unless it was named.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from backout.core.errors import ConfigError
from backout.core.text import untrusted
from backout.http.proxies import proxy_for
from backout.kube.config import in_cluster
from backout.kube.config import user as users
from backout.kube.config.entry import Entry
from backout.kube.config.flags import NONE
from backout.kube.config.merging import Merged, merged
from backout.kube.connection import Connection, Credentials, Trust
from backout.kube.server import server_url

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from backout.kube.config.flags import Flags
    from backout.kube.connection import Impersonation

    Proof = Callable[[Entry, Entry], Credentials]
    """(user, cluster) -> how the user proves who it is."""

DEFAULT_SERVER = "http://localhost:8080"
"""Where kubectl goes when nobody says where; we do not, but it decides about in-cluster."""


class _Chosen(Struct, frozen=True, kw_only=True):
    """The three entries that flags and current-context lead to; empty ones where there is none."""

    context: Entry
    cluster: Entry
    user: Entry


def load(  # noqa: PLR0913 (one argument a kubectl flag)
    *,
    path: str | None,
    context: str | None,
    cluster: str | None = None,
    user: str | None = None,
    namespace: str | None = None,
    flags: Flags = NONE,
    kuberc: str = "",
    environ: Mapping[str, str],
    home: Path,
    service_account: Path = in_cluster.SERVICE_ACCOUNT,
) -> Connection:
    """Return where to go and as whom; every argument is the kubectl flag of that name.

    `flags` are those that replace fields of what the others choose. Empty text counts as absent.
    Without a kubeconfig that says where, a Pod's own service account is used (`service_account` is
    its folder). Raises ConfigError, with the file and field named, for whatever cannot be read,
    contradicts itself or is not supported.
    """
    config = merged(path=path, environ=environ, home=home)
    chosen = _chosen(config, context=context, cluster=cluster, user=user)
    chosen = replace(
        chosen, cluster=flags.over_cluster(chosen.cluster), user=flags.over_user(chosen.user)
    )
    acting = users.impersonation(chosen.user)
    users.validate(chosen.user)
    is_pod = in_cluster.is_possible(environ, service_account)
    where = namespace or chosen.context.text("namespace")
    if not where:
        where = in_cluster.namespace(environ, service_account) if is_pod else "default"
    if is_pod and _says_nothing(chosen, acting, environ):
        its = in_cluster.connection(environ, service_account, in_namespace=where)
        return in_cluster.overridden(its, flags)
    if not chosen.cluster.text("server"):
        raise _nowhere(config, chosen)
    proof = partial(users.credentials, environ=environ, home=home, kuberc=kuberc)
    return _connection(chosen, where, acting, environ, proof)


def _connection(
    chosen: _Chosen,
    namespace: str,
    acting: Impersonation | None,
    environ: Mapping[str, str],
    proof: Proof,
) -> Connection:
    place = chosen.cluster
    server = _server(place)
    proxy = _proxy(place)
    place.check_source("certificate-authority")
    trust, proves, notes = _trust_and_proof(chosen, server, proof)
    return Connection(
        server=server,
        context=chosen.context.name,
        cluster=place.name,
        user=chosen.user.name,
        namespace=namespace,
        trust=trust,
        credentials=proves,
        impersonation=acting,
        proxy=proxy or proxy_for(server, environ),
        notes=notes,
    )


def _chosen(
    config: Merged, *, context: str | None, cluster: str | None, user: str | None
) -> _Chosen:
    """Return the entries; raise ConfigError for one that is named and does not exist.

    An entry may have an empty name, and is then what an empty reference means.
    """
    name = context or config.current_context
    its = config.find("context", name) if name else config.get("context", "")
    its = its or Entry(kind="context", name="", file=Path())
    wanted = f' of context "{untrusted(its.name)}"' if its.name else ""

    def found(kind: str, flag: str | None) -> Entry:
        named = flag or its.text(kind)
        if named:
            return config.find(kind, named, wanted_by="" if flag else wanted)
        return config.get(kind, "") or Entry(kind=kind, name="", file=Path())

    return _Chosen(context=its, cluster=found("cluster", cluster), user=found("user", user))


def _says_nothing(
    chosen: _Chosen, acting: Impersonation | None, environ: Mapping[str, str]
) -> bool:
    """Tell whether what was found equals kubectl's default: then, and only then, it asks its Pod.

    That is so without a kubeconfig, with one that chooses no cluster, and with one that spells the
    default out.
    """
    default = environ.get("KUBERNETES_MASTER") or DEFAULT_SERVER
    place = chosen.cluster
    if (place.text("server") or default) != default or acting is not None:
        return False
    if place.text("proxy-url") or place.flag("disable-compression"):
        return False
    is_plain = not default.lower().startswith("https:")
    return is_plain or not (place.fields or chosen.user.fields)


def _nowhere(config: Merged, chosen: _Chosen) -> ConfigError:
    """Return the error for a kubeconfig that does not say where the API server is."""
    if chosen.cluster.name:
        return chosen.cluster.error("server is missing", remedy="set it to https://HOST")
    if not config.files:
        names = ", ".join(untrusted(str(file)) for file in config.missing[:5])
        return ConfigError(
            f"no kubeconfig: {names or 'KUBECONFIG'} does not exist",
            remedy="name one with --kubeconfig or KUBECONFIG",
        )
    if chosen.context.name:
        return chosen.context.error("cluster is missing", remedy="choose one with --cluster")
    return ConfigError(
        f"no context is chosen: current-context is not set in {config.where}",
        remedy="choose one with --context or `kubectl config use-context`",
    )


def _trust_and_proof(
    chosen: _Chosen, server: str, proof: Proof
) -> tuple[Trust, Credentials, tuple[str, ...]]:
    place = chosen.cluster
    shown = f'cluster "{untrusted(place.name)}"'
    if not server.startswith("https:"):
        # kubectl sends no credentials without TLS either (client_config.go, ClientConfig).
        note = f"{shown} is asked without TLS: no credentials are sent to it"
        return Trust(), Credentials(), (note,)
    trust = _trust(place)
    proves = proof(chosen.user, place)
    if not trust.insecure:
        return trust, proves, ()
    note = f"the certificate of {shown} is not verified (insecure-skip-tls-verify)"
    return trust, proves, (note,)


def _server(place: Entry) -> str:
    try:
        return server_url(place.text("server"))
    except ValueError as exc:
        raise place.error(f"server {exc}", remedy="set it to https://HOST") from None


def _trust(place: Entry) -> Trust:
    ca = place.content("certificate-authority")
    insecure = place.flag("insecure-skip-tls-verify")
    if ca is not None and insecure:
        raise place.error(
            "certificate-authority and insecure-skip-tls-verify contradict each other",
            remedy="remove insecure-skip-tls-verify",
        )
    return Trust(ca=ca, insecure=insecure, server_name=place.text("tls-server-name") or None)


def _proxy(place: Entry) -> str | None:
    """Return the cluster's proxy-url; it outranks what the environment says."""
    url = place.text("proxy-url")
    if not url:
        return None
    try:
        parts = urlsplit(url)
        scheme, usable = parts.scheme, bool(parts.hostname) and parts.port != 0
    except ValueError:
        scheme, usable = "", False
    if scheme not in {"http", "https", "socks5"} or not usable:
        raise place.error("proxy-url is not an http, https or socks5 address")
    return url
