"""One request to the API server, its answer, and what is told about both."""

from __future__ import annotations

import uuid
from dataclasses import field
from types import MappingProxyType
from typing import TYPE_CHECKING

from backout.core.value import dataclass
from backout.http.client import BODY_CAP

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from backout.http.response import Response

NO_PARAMS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class RequestLine:
    """What `-v` prints of one request. `status` is None where no answer came."""

    method: str
    path: str
    status: int | None
    milliseconds: float
    audit_id: str


@dataclass(frozen=True, kw_only=True)
class ServerDate:
    """The API server's time: its last Date header (aware UTC), and our monotonic time then."""

    date: datetime
    monotonic: float


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request to make. `path` starts with `/`; `timeout` in seconds, `cap` in bytes."""

    method: str
    path: str
    timeout: float
    params: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = field(default=None, repr=False)
    content_type: str = "application/json"
    accept: str = "application/json"
    cap: int = BODY_CAP
    truncate: bool = False
    audit_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    is_foreign: bool = False
    """True where the answer may be an application's: its Date and Warning are not the server's."""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer and the API server's warnings that came with it."""

    response: Response
    warnings: tuple[str, ...]
    audit_id: str
