"""What `--notify` sends: one JSON document, also a Grafana annotation, and its signature."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from backout.core.kinds.target import Target

SIGNATURE = "X-Backout-Signature"


def document(
    kind: str, text: str, now: datetime, target: Target, facts: Mapping[str, Any]
) -> dict[str, Any]:
    """Return one message; `time` (ms), `tags` and `text` are as Grafana takes annotations."""
    tags = ["backout", kind, f"namespace:{target.namespace}", f"workload:{target}"]
    return {
        "kind": kind,
        "text": text,
        "time": int(now.timestamp() * 1000),
        "tags": tags,
        "object": target.reference,
        **facts,
    }


def signature(key: bytes, body: bytes) -> str:
    """Return the header's value: who has the key can tell that nobody else wrote the body."""
    return f"sha256={hmac.new(key, body, hashlib.sha256).hexdigest()}"
