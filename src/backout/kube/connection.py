"""Where the API server is and who asks it: what a kubeconfig comes down to. No I/O here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from backout.core.discreet import Discreet, Hidden

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class KeyPair(Discreet, frozen=True, kw_only=True):
    """A client certificate (with its chain) and its private key, both PEM."""

    certificate: bytes
    key: Hidden[bytes]


class PluginPolicy(Struct, frozen=True, kw_only=True):
    """Which plugins may run: AllowAll, DenyAll, or Allowlist with `allowed` commands."""

    kind: str = "AllowAll"
    allowed: tuple[str, ...] = ()


class Plugin(Discreet, frozen=True, kw_only=True):
    """An exec credential plugin.

    `command` has its folder if the kubeconfig gave one, else it is looked for in `search_path`;
    `environment` is the whole environment it runs in; `cluster` is what it is told about the
    cluster, None if it does not want to know.
    Source of the fields: client-go tools/clientcmd/api/v1, ExecConfig.
    """

    api_version: str
    command: str
    arguments: Hidden[tuple[str, ...]] = ()
    environment: Hidden[Mapping[str, str]] = field(default_factory=dict)
    search_path: str = ""
    install_hint: str = ""
    interactive_mode: str = "IfAvailable"
    cluster: Hidden[Mapping[str, Any] | None] = None
    policy: PluginPolicy = PluginPolicy()


class Credentials(Discreet, frozen=True, kw_only=True):
    """How to prove who we are; all empty is anonymous.

    The file wins over `token` as long as it can be read.
    """

    token: Hidden[str] = ""
    token_file: Path | None = None
    key_pair: KeyPair | None = None
    plugin: Plugin | None = None


class Impersonation(Struct, frozen=True, kw_only=True):
    """As whom to act: `--as`, `--as-group` and their siblings in the kubeconfig."""

    user: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class Trust(Struct, frozen=True, kw_only=True):
    """How to know the server: `ca` in PEM (None: the system's), `server_name` to expect.

    `insecure` accepts any certificate.
    """

    ca: bytes | None = None
    server_name: str | None = None
    insecure: bool = False


class Connection(Discreet, frozen=True, kw_only=True):
    """One cluster, one user, one namespace.

    `server` is an http or https URL without a trailing slash (it may have a path). `context`,
    `cluster` and `user` are the kubeconfig's names, empty where it names none. `proxy` is a URL and
    may hold a password. `notes` are sentences to say aloud before anything is done.
    """

    server: str
    context: str
    cluster: str
    user: str
    namespace: str
    trust: Trust = Trust()
    credentials: Credentials = Credentials()
    impersonation: Impersonation | None = None
    proxy: Hidden[str | None] = None
    notes: tuple[str, ...] = ()

    @property
    def acting(self) -> str:
        """As whom the API server acts: whoever is impersonated, else the user; empty: unnamed."""
        return self.impersonation.user if self.impersonation is not None else self.user

    @property
    def impersonator(self) -> str:
        """Whose rights it takes to act as somebody else; empty where nobody is impersonated."""
        return self.user if self.impersonation is not None else ""
