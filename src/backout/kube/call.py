"""One request to the API server, its answer, and what is told about both."""

from __future__ import annotations

import uuid
from types import MappingProxyType
from typing import TYPE_CHECKING

from msgspec import Struct, field

from backout.core.discreet import Discreet, Hidden
from backout.http.client import BODY_CAP

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from backout.http.response import Response

NO_PARAMS: Mapping[str, str] = MappingProxyType({})


class RequestLine(Struct, frozen=True, kw_only=True):
    """What `-v` prints of one request. `status` is None where no answer came."""

    method: str
    path: str
    status: int | None
    milliseconds: float
    audit_id: str


class ServerDate(Struct, frozen=True, kw_only=True):
    """The API server's time: its last Date header (aware UTC), and our monotonic time then."""

    date: datetime
    monotonic: float


class Call(Discreet, frozen=True, kw_only=True):
    """One request to make. `path` starts with `/`; `timeout` in seconds, `cap` in bytes."""

    method: str
    path: str
    timeout: float
    params: Mapping[str, str] = field(default_factory=dict)
    body: Hidden[bytes | None] = None
    content_type: str = "application/json"
    accept: str = "application/json"
    cap: int = BODY_CAP
    truncate: bool = False
    audit_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    is_foreign: bool = False
    """True where the answer may be an application's: its Date and Warning are not the server's."""


class Reply(Struct, frozen=True, kw_only=True):
    """An answer and the API server's warnings that came with it."""

    response: Response
    warnings: tuple[str, ...]
    audit_id: str
