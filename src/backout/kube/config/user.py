"""A kubeconfig's user -> credentials. What is not supported is refused by name, with a remedy.

Source: client-go tools/clientcmd/validation.go (what contradicts itself) and client_config.go.
"""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from msgspec.structs import replace

from backout.core.errors import ConfigError
from backout.core.text import untrusted
from backout.kube.config.entry import Entry
from backout.kube.config.plugin_policy import plugin_policy
from backout.kube.connection import Credentials, Impersonation, KeyPair, Plugin

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

API_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
BETA_VERSIONS = (API_VERSIONS[1], "client.authentication.k8s.io/v1alpha1")
INTERACTIVE_MODES = ("Never", "IfAvailable", "Always")


def validate(user: Entry) -> None:
    """Raise ConfigError for what is not supported or contradicts itself, TLS or not."""
    _refuse_unsupported(user)
    _check_key_pair(user)
    if user.fields.get("exec") is not None:
        spec = user.inner("exec")
        _command(spec)
        _environment(spec)
        if not spec.text("apiVersion"):
            raise _bad_version(spec)
        _interactive_mode(spec)


def credentials(
    user: Entry, cluster: Entry, *, environ: Mapping[str, str], home: Path, kuberc: str = ""
) -> Credentials:
    """Return how a valid user proves who it is; `kuberc` is the flag of that name.

    Beside a token or a client certificate an exec plugin is not run, as with kubectl (exec.go,
    UpdateTransportConfig); its version is looked at anyway.
    """
    plugin = None
    if user.fields.get("exec") is not None:
        policy = plugin_policy(environ, home, named=kuberc)
        plugin = replace(_plugin(user, cluster, environ), policy=policy)
    token, token_file = user.text("token"), user.path("tokenFile")
    key_pair = _key_pair(user)
    if token or token_file or key_pair:
        plugin = None
    return Credentials(token=token, token_file=token_file, key_pair=key_pair, plugin=plugin)


def impersonation(user: Entry) -> Impersonation | None:
    """Return as whom to act: the `as…` fields of a user over whom the flags have been laid."""
    acting = Impersonation(
        user=user.text("as"),
        groups=user.texts("as-groups"),
        uid=user.text("as-uid"),
        extra={key: _extra(user, key, values) for key, values in _extras(user).items()},
    )
    if not acting.user:
        if acting.groups or acting.uid or acting.extra:
            raise ConfigError("groups are impersonated without a user", remedy="add --as USER")
        return None
    return acting


def _extras(user: Entry) -> Mapping[str, Any]:
    return user.mapping("as-user-extra")


def _extra(user: Entry, key: str, values: Any) -> tuple[str, ...]:
    return Entry(kind="user", name=user.name, file=user.file, fields={key: values}).texts(key)


def _refuse_unsupported(user: Entry) -> None:
    if user.fields.get("auth-provider") is not None:
        provider = untrusted(str(user.mapping("auth-provider").get("name", "")), 64)
        raise user.error(
            f"auth-provider ({provider}) is not supported; Kubernetes removed it in 1.26",
            remedy="use an exec plugin instead: kubelogin (OIDC, Azure) or gke-gcloud-auth-plugin",
        )
    if user.has("username") or user.has("password"):
        raise user.error(
            "username and password (basic authentication) are not supported; "
            "Kubernetes removed them in 1.19",
            remedy="use a token, a client certificate or an exec plugin",
        )


def _check_key_pair(user: Entry) -> None:
    """Raise what clientcmd/validation.go raises; a key without a certificate is nobody's matter."""
    if not user.has("client-certificate") and not user.has("client-certificate-data"):
        return
    if not user.has("client-key") and not user.has("client-key-data"):
        raise user.error("client-certificate is given without client-key")
    for name in ("client-certificate", "client-key"):
        user.check_source(name)


def _key_pair(user: Entry) -> KeyPair | None:
    certificate = user.content("client-certificate")
    key = user.content("client-key") if certificate is not None else None
    if certificate is None or key is None:
        return None
    return KeyPair(certificate=certificate, key=key)


def _plugin(user: Entry, cluster: Entry, environ: Mapping[str, str]) -> Plugin:
    spec = user.inner("exec")
    return Plugin(
        api_version=_api_version(spec),
        command=_command(spec),
        arguments=spec.texts("args"),
        environment={**environ, **_environment(spec)},
        search_path=environ.get("PATH", ""),
        install_hint=spec.text("installHint"),
        interactive_mode=_interactive_mode(spec),
        cluster=_cluster_for_plugins(cluster) if spec.flag("provideClusterInfo") else None,
    )


def _cluster_for_plugins(cluster: Entry) -> dict[str, Any]:
    """Return the cluster as plugins get it (client-go rest/exec.go, ConfigToExecCluster)."""
    optional = {
        "tls-server-name": cluster.text("tls-server-name"),
        "insecure-skip-tls-verify": cluster.flag("insecure-skip-tls-verify"),
        "certificate-authority-data": base64.b64encode(
            cluster.content("certificate-authority") or b""
        ).decode(),
        "proxy-url": cluster.text("proxy-url"),
        "disable-compression": cluster.flag("disable-compression"),
    }
    parts = urlsplit(cluster.text("server"))
    if len(parts.path) > 1:  # what kubectl passes on, neither more nor less tidy
        parts = parts._replace(query="", fragment="")
    return {
        "server": parts.geturl(),
        **{name: value for name, value in optional.items() if value},
        "config": _extension(cluster),
    }


def _api_version(spec: Entry) -> str:
    version = spec.text("apiVersion")
    if version not in API_VERSIONS:
        raise _bad_version(spec)
    return version


def _bad_version(spec: Entry) -> ConfigError:
    shown = untrusted(spec.text("apiVersion"), 80) or "missing"
    return spec.error(
        f"exec: apiVersion {shown} is not supported",
        remedy=f"set it to {API_VERSIONS[0]} (a newer version of the plugin may be needed)",
    )


def _command(spec: Entry) -> str:
    """Return the command; with a separator in it, it is relative to the kubeconfig's folder."""
    command = spec.text("command")
    if not command:
        raise spec.error("exec: command is missing")
    return os.path.normpath(spec.path("command") or "") if os.sep in command else command


def _environment(spec: Entry) -> dict[str, str]:
    found: dict[str, str] = {}
    for item in spec.items("env"):
        name, value = (item or {}).get("name") or "", (item or {}).get("value") or ""
        if not name or "=" in name or "\0" in name + value:
            raise spec.error("exec: env has an entry that is not a name and a value")
        found[name] = value
    return found


def _interactive_mode(spec: Entry) -> str:
    """Return the mode; v1 demands that it is set, v1beta1 has a default (exec/v1beta1 types)."""
    mode = spec.text("interactiveMode")
    if not mode and spec.text("apiVersion") in BETA_VERSIONS:
        return "IfAvailable"
    if mode not in INTERACTIVE_MODES:
        raise spec.error(
            f"exec: interactiveMode is {untrusted(mode, 40) or 'missing'}",
            remedy=f"set it to one of {', '.join(INTERACTIVE_MODES)}",
        )
    return mode


def _extension(cluster: Entry) -> Any:
    """Return what the cluster keeps for plugins (its extension of a reserved name)."""
    for item in cluster.items("extensions"):
        if isinstance(item, dict) and item.get("name") == "client.authentication.k8s.io/exec":
            return item.get("extension")
    return None
