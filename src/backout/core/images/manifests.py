"""What stands in an index (OCI) or manifest list (Docker): one manifest for each platform."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any

from backout.core.images.names import IndexEntry, check_digest
from backout.core.kubernetes import objects

INDEX_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_WORD = re.compile(r"[a-z0-9_.-]{1,32}")
_MOST = 1000
"""Entries that are looked at; real indexes have a dozen."""


def entries(body: bytes) -> tuple[IndexEntry, ...] | None:
    """Return an index's entries; None where the bytes are no index."""
    listed = objects.dig(_parsed(body), "manifests")
    if not isinstance(listed, list) or len(listed) > _MOST:
        return None
    return tuple(entry for one in listed if (entry := _entry(one)) is not None)


def is_manifest(body: bytes) -> bool:
    """Tell whether the bytes are a manifest or an index, and no web page."""
    return objects.dig(_parsed(body), "schemaVersion") is not None


def _parsed(body: bytes) -> Any:
    with suppress(ValueError, RecursionError):
        return json.loads(body)
    return None


def _entry(one: Any) -> IndexEntry | None:
    digest = objects.dig(one, "digest")
    try:
        check_digest(str(digest))
    except ValueError:
        return None
    return IndexEntry(digest=str(digest), platform=platform(objects.dig(one, "platform")))


def platform(told: Any) -> str:
    """Return `os/architecture`; empty where either is missing, unknown or no such word."""
    words = [str(objects.dig(told, key, default="")) for key in ("os", "architecture")]
    if "unknown" in words or not all(_WORD.fullmatch(word) for word in words):
        return ""
    return "/".join(words)
