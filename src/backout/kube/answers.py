"""What the verbs of the client return."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from backout.core.discreet import Discreet, Hidden


class Listing(Struct, frozen=True, kw_only=True):
    """One consistent list: every item of all pages, and the version to watch from."""

    items: list[dict[str, Any]]
    resource_version: str


class Patched(Struct, frozen=True, kw_only=True):
    """The object as it is now (or would be, in a dry run), and what the server warned of."""

    object: dict[str, Any]
    warnings: tuple[str, ...]
    audit_id: str


class ProxyAnswer(Discreet, frozen=True, kw_only=True):
    """What came back through the API server's proxy.

    `by_api_server` is True where the API server itself answers (the application could not be asked,
    or may not be): then `message` is its, safe to print. Otherwise status and body are the
    application's; `body` is cut at 64 KiB and untrusted, `content_type` in lower case. `coding` is
    the body's content coding (`gzip`), by which it cannot be read; empty where it can.
    """

    status: int
    by_api_server: bool
    message: str
    body: Hidden[bytes]
    content_type: str
    coding: str = ""


class WatchEvent(Struct, frozen=True, kw_only=True):
    """One event of a watch; `type` as the server spells it (ADDED, MODIFIED, DELETED, BOOKMARK)."""

    type: str
    object: dict[str, Any]
