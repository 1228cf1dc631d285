"""Events, as the kubelet and the controllers write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.objects.times import NOW, stamp

if TYPE_CHECKING:
    from datetime import datetime

    from tests.objects.metadata import Object


def event(about: str, reason: str, message: str, *, at: datetime = NOW, **more: Any) -> Object:
    """Return a warning about the object of this uid."""
    return {
        "involvedObject": {"uid": about},
        "reason": reason,
        "message": message,
        "type": "Warning",
        "lastTimestamp": stamp(at),
        **more,
    }
