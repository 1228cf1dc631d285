"""What the server sent -> values. Nothing of it is trusted: shape, numbers or text."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from backout.core.health.metric import Alert, NoAnswer, Series, Vector
from backout.core.text import untrusted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backout.http.response import Headers, Response

OK = 200
_REFUSED = {401: "does not know who is asking", 403: "does not allow this"}
_NOT_ITS_ANSWER = NoAnswer(why="this is not the answer of a Prometheus")
MOST_ALERTS = 500


class Told(Struct, frozen=True, kw_only=True):
    """`data` of a success, what the server warned of, and its clock (None: not told)."""

    data: Any
    warnings: tuple[str, ...]
    now: float | None


def told(response: Response) -> Told | NoAnswer:
    """Return what a success carries."""
    if 300 <= response.status < 400:  # noqa: PLR2004
        return NoAnswer(why=f"HTTP {response.status}: redirects are not followed")
    if response.status in _REFUSED:
        return NoAnswer(why=f"HTTP {response.status}: Prometheus {_REFUSED[response.status]}")
    found = _parsed(response.body)
    if not isinstance(found, dict):
        return _strange(response)
    if found.get("status") == "error":
        words = f"{found.get('errorType', 'error')}: {found.get('error', '')}"
        return NoAnswer(why=f"Prometheus says {untrusted(words)}")
    if response.status != OK or found.get("status") != "success":
        return _strange(response)
    warnings = found.get("warnings")
    listed = warnings if isinstance(warnings, list) else []
    shown = tuple(untrusted(str(one)) for one in listed[:3])
    return Told(data=found.get("data"), warnings=shown, now=_clock(response.headers))


def vector(answer: Told) -> Vector | NoAnswer:
    """Return the series of a vector or a scalar; nothing else is a value of now."""
    data = answer.data
    if not isinstance(data, dict):
        return _NOT_ITS_ANSWER
    kind, result = data.get("resultType"), data.get("result")
    if not isinstance(result, list):
        return _NOT_ITS_ANSWER
    if kind not in {"vector", "scalar"}:
        return NoAnswer(why=f"the expression gives a {untrusted(str(kind), 20)}, no number of now")
    rows = result if kind == "vector" else [{"metric": {}, "value": result}]
    if any(isinstance(row, dict) and "histogram" in row for row in rows):
        return NoAnswer(why="the expression gives a histogram, no number: histogram_quantile")
    series = [_series(row, answer.now) for row in rows]
    found = tuple(s for s in series if s is not None)
    if len(found) < len(series):
        return _NOT_ITS_ANSWER
    return Vector(series=found, warnings=answer.warnings)


def alerts(answer: Told) -> tuple[Alert, ...] | NoAnswer:
    """Return those that fire."""
    rows = answer.data.get("alerts") if isinstance(answer.data, dict) else None
    if not isinstance(rows, list):
        return _NOT_ITS_ANSWER
    firing = [r for r in rows if isinstance(r, dict) and r.get("state") == "firing"]
    return tuple(_alert(r) for r in firing[:MOST_ALERTS])


def _alert(row: Mapping[str, Any]) -> Alert:
    labels = _labels(row.get("labels"))
    since = untrusted(str(row.get("activeAt", "")), 40)
    return Alert(name=labels.get("alertname", "unnamed"), labels=labels, since=since)


def _series(row: object, now: float | None) -> Series | None:
    if not isinstance(row, dict):
        return None
    try:
        stamp, text = row["value"]
        at, value = float(stamp), float(text)
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    if not math.isfinite(at):
        return None
    age = max(0.0, now - at) if now is not None else 0.0
    return Series(value=value, labels=_labels(row.get("metric")), at=at, age=age)


def _labels(found: object) -> dict[str, str]:
    if not isinstance(found, dict):
        return {}
    return {untrusted(k, 100): untrusted(str(v), 200) for k, v in found.items()}


def _clock(headers: Headers) -> float | None:
    return headers.date.timestamp() if headers.date else None


def _strange(response: Response) -> NoAnswer:
    if response.status != OK:
        return NoAnswer(why=f"HTTP {response.status}")
    return _NOT_ITS_ANSWER


def _parsed(body: bytes) -> Any:
    with suppress(ValueError, RecursionError):
        return json.loads(body)
    return None
