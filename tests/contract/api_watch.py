"""The watches of the fake API server: history, streams that grow, bookmarks, 410."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from tests.contract.api_objects import selected, status
from tests.contract.scripted_server import Stream

if TYPE_CHECKING:
    from collections.abc import Iterator

Object = dict[str, Any]


@dataclass(frozen=True)
class Watcher:
    """What one watch asks for."""

    resource: str
    labels: str
    fields: str

    def wants(self, resource: str, obj: Object) -> bool:
        return resource == self.resource and selected(obj, self.labels, self.fields)


class _Growing:
    """The chunks of one watch: iterated by the server, which waits for each Event it is given."""

    def __init__(self, first: list[bytes]) -> None:
        self._ready = first
        self._more = asyncio.Event()
        self._is_over = False

    def add(self, chunk: bytes) -> None:
        self._ready.append(chunk)
        self._more.set()

    def end(self) -> None:
        self._is_over = True
        self._more.set()

    def __iter__(self) -> Iterator[bytes | asyncio.Event]:
        while True:
            while self._ready:
                yield self._ready.pop(0)
            if self._is_over:
                return
            self._more = asyncio.Event()
            yield self._more


class Watched:
    """Everything that happened, and who watches."""

    def __init__(self) -> None:
        self._history: list[tuple[int, str, str, Object]] = []
        self._open: list[tuple[Watcher, _Growing]] = []
        self._oldest = 0

    def tell(self, resource: str, kind: str, obj: Object, version: int) -> None:
        self._history.append((version, resource, kind, obj))
        for watcher, chunks in self._open:
            if watcher.wants(resource, obj):
                chunks.add(_line(kind, obj))

    def compact(self, version: int) -> None:
        self._oldest = version

    def end(self) -> None:
        for _, chunks in self._open:
            chunks.end()
        self._open.clear()

    def stream(self, watcher: Watcher, since: int) -> Stream:
        if since < self._oldest:
            gone = status(410, "Expired", "too old resource version")
            return Stream(chunks=[_line("ERROR", gone)])
        missed = [
            _line(kind, obj)
            for version, resource, kind, obj in self._history
            if version > since and watcher.wants(resource, obj)
        ]
        chunks = _Growing(missed)
        self._open.append((watcher, chunks))
        return Stream(
            chunks=cast("list[bytes | asyncio.Event]", chunks),
            headers={"Content-Type": "application/json"},
        )


def _line(kind: str, obj: Object) -> bytes:
    return json.dumps({"type": kind, "object": obj}).encode() + b"\n"
