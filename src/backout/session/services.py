"""The services beside the cluster that a session asks, as the user named them."""

from __future__ import annotations

from msgspec import Struct, field

from backout.session.health_urls import HealthUrls
from backout.session.registries import Registries
from backout.session.telemetry import Telemetry


class Services(Struct, frozen=True, kw_only=True):
    """How each service is asked: the user's own URLs, registries, Prometheus and who is told."""

    health: HealthUrls = field(default_factory=HealthUrls)
    registries: Registries = field(default_factory=Registries)
    telemetry: Telemetry = field(default_factory=Telemetry)
