"""What a good answer is: its status, a text in its body, fields of its JSON.

The body is untrusted and may hold secrets: it is looked at here and never told.
"""

from __future__ import annotations

import json
import re

from msgspec import Struct

from backout.core.health.endpoints import Origin
from backout.core.health.judgement import Answer, Sample

BODY_CAP = 64 * 1024
"""Bytes of a body that are read; what comes after them was not seen."""
ANY_SUCCESS = (range(200, 300),)
REDIRECTS = range(300, 400)
BY_PROBE = range(200, 400)
"""What the kubelet takes for success (kubernetes pkg/probe/http/http.go)."""
BROKEN = range(500, 600)

_STATUS = re.compile(r"(?P<family>[1-5])xx|(?P<low>[1-5]\d\d)(?:-(?P<high>[1-5]\d\d))?", re.ASCII)
_MISSING = object()


class JsonField(Struct, frozen=True, kw_only=True):
    """A field that the body's JSON must have: the dotted `path` to it, its `value` as text."""

    path: str
    value: str


class Expected(Struct, frozen=True, kw_only=True):
    """What makes an answer good: all of it must hold. An empty `text` is not looked for."""

    statuses: tuple[range, ...] = ANY_SUCCESS
    text: str = ""
    fields: tuple[JsonField, ...] = ()

    @property
    def needs_body(self) -> bool:
        """Whether the body is looked at."""
        return bool(self.text or self.fields)


SUCCESS = Expected()


def statuses(text: str) -> tuple[range, ...]:
    """Return the statuses that `200`, `2xx`, `200-204` or a list of those names.

    Raises ValueError where it is none of them.
    """
    return tuple(_statuses(part.strip()) for part in text.split(","))


def json_field(text: str) -> JsonField:
    """Return the field that `path=value` names; raises ValueError where it names none."""
    path, equals, value = text.partition("=")
    if not equals or not all(path.split(".")):
        raise ValueError(f"{text!r} is not PATH=VALUE")
    return JsonField(path=path, value=value)


def judged(
    subject: str,
    status: int,
    body: bytes = b"",
    expected: Expected = SUCCESS,
    *,
    origin: Origin = Origin.NAMED,
    coding: str = "",
) -> Sample:
    """Return what an answer is worth; `body` is cut at `BODY_CAP`.

    Where backout guessed what to ask, the status is judged by the kubelet's rule, unless the user
    said which statuses or which body are good. A redirect of what the user named says nothing: it
    is not followed, and what it leads to was not asked. `coding` is the body's content coding, by
    which it was not read.
    """
    is_good = any(status in one for one in expected.statuses)
    is_told = expected != SUCCESS and status < BY_PROBE.stop
    if origin is not Origin.NAMED and not is_good and not is_told:
        return _guessed(subject, status, origin)
    answer, words = _of_status(status, expected)
    if answer is Answer.WELL and expected.needs_body:
        answer, said = _of_body(body, expected) if not coding else _unread(coding)
        words = f"{words}, but {said}" if said else words
    return Sample(subject=subject, answer=answer, detail=words, status=status)


def _guessed(subject: str, status: int, origin: Origin) -> Sample:
    """Return what an answer is worth that nobody asked for."""
    words = f"HTTP {status}"
    if status in BY_PROBE:
        return Sample(subject=subject, answer=Answer.WELL, detail=words, status=status)
    if status in BROKEN:
        return Sample(
            subject=subject, answer=Answer.UNWELL, detail=words, status=status, is_guess=True
        )
    is_probe = origin is Origin.PROBE
    return Sample(
        subject=subject,
        answer=Answer.UNKNOWN,
        detail=f"{words}{', not asked as the kubelet asks' if is_probe else ' on a guessed path'}",
        status=status,
        is_guess=True,
        is_misasked=is_probe,
        is_absent=not is_probe,
    )


def _statuses(text: str) -> range:
    match = _STATUS.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no status such as 200, 2xx or 200-204")
    if match["family"]:
        low = int(match["family"]) * 100
        return range(low, low + 100)
    low, high = int(match["low"]), int(match["high"] or match["low"])
    if high < low:
        raise ValueError(f"{text!r} ends before it begins")
    return range(low, high + 1)


def _of_status(status: int, expected: Expected) -> tuple[Answer, str]:
    words = f"HTTP {status}"
    if any(status in one for one in expected.statuses):
        return Answer.WELL, words
    if status in REDIRECTS:
        return Answer.UNKNOWN, f"{words}: redirects are not followed"
    if status in ANY_SUCCESS[0]:
        return Answer.UNWELL, f"{words}, which is not the expected status"
    return Answer.UNWELL, words


def _of_body(body: bytes, expected: Expected) -> tuple[Answer, str]:
    """Return what the body is worth, and what is wrong with it."""
    if expected.text and expected.text not in body.decode(errors="replace"):
        return _lacking(body, "the body lacks the expected text")
    if not expected.fields:
        return Answer.WELL, ""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return _lacking(body, "the body is not JSON")
    for field in expected.fields:
        found = _at(content, field.path)
        if found is _MISSING:
            return Answer.UNWELL, f"its JSON has no field {field.path}"
        if not _is(found, field.value):
            return Answer.UNWELL, f"its field {field.path} is not as expected"
    return Answer.WELL, ""


def _unread(coding: str) -> tuple[Answer, str]:
    return Answer.UNKNOWN, f"its body is encoded ({coding}), which was not asked for"


def _lacking(body: bytes, words: str) -> tuple[Answer, str]:
    """Return what a body is worth that is not as expected as far as it was read."""
    if len(body) < BODY_CAP:
        return Answer.UNWELL, words
    return Answer.UNKNOWN, f"{words}, as far as it is read ({BODY_CAP // 1024} KiB)"


def _at(content: object, path: str) -> object:
    """Return what a dotted path leads to: a key, or an index of a list, at each dot."""
    for part in path.split("."):
        if isinstance(content, dict) and part in content:
            content = content[part]
        elif isinstance(content, list) and part.isdecimal() and int(part) < len(content):
            content = content[int(part)]
        else:
            return _MISSING
    return content


def _is(found: object, value: str) -> bool:
    """Tell whether a JSON value is written so: a string without quotes, `true`, `null`, `1.0`."""
    if isinstance(found, str):
        return found == value
    if isinstance(found, bool) or found is None:
        return json.dumps(found) == value
    if isinstance(found, int | float):
        try:
            return float(value) == found
        except ValueError:
            return False
    return False
