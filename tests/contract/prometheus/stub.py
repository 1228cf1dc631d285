"""A Prometheus on loopback, as far as it is asked."""

from __future__ import annotations

import time
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from tests.contract.scripted_server import Answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.contract.scripted_server import Received, Step

WEB = {"__name__": "errors", "namespace": "shop", "app": "web"}


def success(data: Any, *, status: int = 200, **more: Any) -> Answer:
    """Return an answer in Prometheus' envelope, with a Date as every Go server sends it."""
    body = {"status": "success", "data": data, **more}
    return Answer(status=status, json=body, headers={"Date": formatdate(usegmt=True)})


def vector(*values: str, age: float = 0.0, **more: Any) -> Answer:
    at = time.time() - age
    rows = [{"metric": WEB, "value": [at, value]} for value in values]
    return success({"resultType": "vector", "result": rows}, **more)


def alerts(*rows: dict[str, Any]) -> Answer:
    return success({"alerts": list(rows)})


def firing(name: str, **labels: str) -> dict[str, Any]:
    return {
        "labels": {"alertname": name, **labels},
        "state": "firing",
        "activeAt": "2026-01-02T03:04:05Z",
    }


class Stub:
    """Gives each query the next of its answers, the last one for ever."""

    def __init__(self, values: Sequence[Step], alerting: Step | None = None) -> None:
        self._values = list(values)
        self._alerting = alerting or alerts()

    def __call__(self, request: Received) -> Step:
        if request.path.endswith("/alerts"):
            return self._alerting
        return self._values.pop(0) if len(self._values) > 1 else self._values[0]
