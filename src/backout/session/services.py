"""The services beside the cluster that a session asks, as the user named them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

from backout.session.telemetry import Telemetry

if TYPE_CHECKING:
    from pathlib import Path


class Services(Struct, frozen=True, kw_only=True):
    """The files and addresses that URLs, registries and Prometheus are asked with.

    `registry_plain_http` are the registries (`HOST[:PORT]`) that are asked without TLS.
    """

    health_header_file: Path | None = None
    health_ca: str | None = None
    registry_auth_file: Path | None = None
    registry_plain_http: frozenset[str] = frozenset()
    registry_ca: str | None = None
    telemetry: Telemetry = field(default_factory=Telemetry)
