"""Makes of files and names the client for image registries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from backout.core.images.keyring import Keyring
from backout.registry.auth_file import load
from backout.registry.client import RegistryClient

if TYPE_CHECKING:
    from pathlib import Path

    from backout.http.proxies import ProxyFor


class Registries(Struct, frozen=True, kw_only=True):
    """How registries are asked; `plain_http` are those (`HOST[:PORT]`) that are asked without TLS.

    `auth_file` is a Docker config file, `ca` a PEM file.
    """

    auth_file: Path | None = None
    plain_http: frozenset[str] = frozenset()
    ca: str | None = None


def credentials(registries: Registries) -> Keyring:
    """Return what the user has for registries; raises ConfigError for an unusable file."""
    return load(registries.auth_file) if registries.auth_file is not None else Keyring()


def registry_client(registries: Registries, keyring: Keyring, proxy: ProxyFor) -> RegistryClient:
    """Return the client, not yet entered; `proxy` tells by which one a registry is asked."""
    return RegistryClient(
        keyring=keyring, plain_http=registries.plain_http, ca_file=registries.ca, proxy=proxy
    )
