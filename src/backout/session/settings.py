"""What a session is made of, beside the connection."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from backout.core.preflight.request import Request
from backout.core.value import dataclass
from backout.session.telemetry import Telemetry
from backout.steps.run import Limits

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What was asked for, how long it may take, and the files and addresses that are to be used.

    `request_timeout` in seconds; None: what reads and writes have of their own.
    """

    policy: Request = field(default_factory=Request)
    limits: Limits = field(default_factory=Limits)
    request_timeout: float | None = None
    health_header_file: Path | None = None
    health_ca: str | None = None
    registry_auth_file: Path | None = None
    registry_plain_http: frozenset[str] = frozenset()
    registry_ca: str | None = None
    telemetry: Telemetry = field(default_factory=Telemetry)
