"""The API server's warnings: `Warning: 299 - "text"` (RFC 7234 5.5; KEP-1693)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from backout.core.text import untrusted

if TYPE_CHECKING:
    from backout.http.response import Headers

_WARNING = re.compile(r'\b299 [^ ]{1,64} "((?:[^"\\]|\\.)*)"')


def warnings_of(headers: Headers) -> tuple[str, ...]:
    """Return the texts, safe to print, each once, in their order."""
    found = (
        re.sub(r"\\(.)", r"\1", text)
        for value in headers.all("warning")
        for text in _WARNING.findall(value)
    )
    return tuple(dict.fromkeys(untrusted(text) for text in found))
