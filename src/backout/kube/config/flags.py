"""What flags say over the entries of a kubeconfig, by kubectl's rules. Pure.

Source: client-go tools/clientcmd/client_config.go (getCluster, getAuthInfo), and measured against
kubectl itself (tests/contract/kubectl).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from backout.core.discreet import Discreet, Hidden
from backout.core.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backout.kube.config.entry import Entry


class Flags(Discreet, frozen=True, kw_only=True):
    """kubectl's flags of these names; empty is not given. Files are relative to the working folder.

    `impersonate_extra` holds `KEY=VALUE`, a key as often as it has values.
    """

    server: str | None = None
    certificate_authority: str | None = None
    insecure_skip_tls_verify: bool = False
    tls_server_name: str | None = None
    proxy_url: str | None = None
    token: Hidden[str | None] = None
    client_certificate: str | None = None
    client_key: str | None = None
    impersonate: str | None = None
    impersonate_groups: tuple[str, ...] = ()
    impersonate_uid: str | None = None
    impersonate_extra: tuple[str, ...] = ()

    def over_cluster(self, place: Entry) -> Entry:
        """Return the cluster as the flags have it.

        A CA or --insecure-skip-tls-verify replaces all that the file says about trust; another
        server does away with the name that the file expects in the certificate.
        """
        gone: set[str] = set()
        if self.certificate_authority or self.insecure_skip_tls_verify:
            gone |= {"certificate-authority-data", "certificate-authority"}
            gone |= {"insecure-skip-tls-verify"}
        if self.server:
            gone |= {"tls-server-name"}
        given = {
            "server": self.server,
            "certificate-authority": _absolute(self.certificate_authority),
            "insecure-skip-tls-verify": self.insecure_skip_tls_verify,
            "tls-server-name": self.tls_server_name,
            "proxy-url": self.proxy_url,
        }
        return _over(place, given, gone)

    def over_user(self, user: Entry) -> Entry:
        """Return the user as the flags have it."""
        gone: set[str] = set()
        if self.client_certificate:
            gone |= {"client-certificate-data"}
        if self.client_key:
            gone |= {"client-key-data"}
        extra = self._extra()
        given = {
            "token": self.token,
            "client-certificate": _absolute(self.client_certificate),
            "client-key": _absolute(self.client_key),
            "as": self.impersonate,
            "as-groups": list(self.impersonate_groups),
            "as-uid": self.impersonate_uid,
            "as-user-extra": {**user.mapping("as-user-extra"), **extra} if extra else {},
        }
        return _over(user, given, gone)

    def _extra(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for one in self.impersonate_extra:
            key, equals, value = one.partition("=")
            if not equals:
                raise ConfigError(
                    "--as-user-extra takes KEY=VALUE",
                    remedy="add =VALUE; kubectl would ignore it silently",
                )
            found.setdefault(key, []).append(value)
        return found


NONE = Flags()


def _over(entry: Entry, given: Mapping[str, Any], gone: set[str]) -> Entry:
    said = {name: value for name, value in given.items() if value}
    if not said:
        return entry
    kept = {name: value for name, value in entry.fields.items() if name not in gone}
    flags = tuple(f"--{_FLAGS.get(name, name)}" for name in said)
    return replace(entry, fields={**kept, **said}, flags=flags)


_FLAGS = {"as-groups": "as-group"}


def _absolute(path: str | None) -> str:
    return str(Path(path).absolute()) if path else ""
