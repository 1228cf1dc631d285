"""What a server answered: status, headers, a bounded body."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TypeAlias

from msgspec import Struct

BODY_CAP = 4 * 1024 * 1024
"""An object in etcd is at most 1.5 MiB; as JSON with managed fields it may be some times that."""
OutgoingHeaders: TypeAlias = Mapping[str, str | tuple[str, ...]]
"""Request headers; a tuple is sent as so many headers of that name."""

_DATE = r"[A-Z][a-z]{2}, (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT"
"""What every server sends today (RFC 9110, 5.6.7). Not email.utils: it takes 9 ms to import."""
_COMPRESSED = frozenset({"gzip", "x-gzip", "deflate", "compress", "x-compress", "br", "zstd"})
"""What is registered for HTTP (RFC 9110, 8.4.1), but for `identity` and what nobody serves."""
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


class Headers(Mapping[str, str]):
    """Response headers: names in lower case and found in any case, repeated ones joined by `, `."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._values: dict[str, tuple[str, ...]] = {}
        for name, value in pairs:
            key = name.lower()
            self._values[key] = (*self._values.get(key, ()), value)

    def __getitem__(self, name: str) -> str:
        return ", ".join(self._values[name.lower()])

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._values

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of a header that may be repeated (Warning, WWW-Authenticate)."""
        return self._values.get(name.lower(), ())

    @property
    def content_type(self) -> str:
        """The media type in lower case without parameters, empty where there is none."""
        return self.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def coding(self) -> str:
        """The content codings that compress the body, empty where it is as it is.

        What compresses nothing (`utf-8`, a common mistake for a charset) says nothing.
        """
        told = self.get("content-encoding", "").lower().split(",")
        return ", ".join(one.strip() for one in told if one.strip() in _COMPRESSED)

    @property
    def date(self) -> datetime | None:
        """When the server says that it answered; None where it does not, or not as one does."""
        found = re.fullmatch(_DATE, self.get("date", ""), re.ASCII)
        if found is None or found[2] not in _MONTHS:
            return None
        day, year, hour, minute, second = map(int, found.group(1, 3, 4, 5, 6))
        month = _MONTHS.index(found[2]) + 1
        try:
            return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        except ValueError:
            return None


class Response(Struct, frozen=True, kw_only=True):
    """One answer. `truncated` is True where the body was cut at the cap; `url` is what was asked.

    `coding` is how the body is compressed, where the caller takes that (empty: it is not).

    A redirect is an answer like any other: nothing here follows it.
    """

    status: int
    headers: Headers
    body: bytes
    truncated: bool
    url: str
    coding: str = ""
