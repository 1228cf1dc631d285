"""The verbs of the API server on plain dicts; reads may be repeated, writes.py has the others."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from backout.core.errors import Gone, Unreachable
from backout.core.kubernetes.managed_fields import slim
from backout.core.kubernetes.objects import selector_text
from backout.http.client import BODY_CAP
from backout.kube.answers import Listing, Patched, ProxyAnswer, WatchEvent
from backout.kube.bodies import counted_in, event_in, items_in, object_in
from backout.kube.call import NO_PARAMS, Call, RequestLine, ServerDate
from backout.kube.clock import SYSTEM_CLOCK, Clock
from backout.kube.credentials.exec_plugin import Surroundings
from backout.kube.retry import TRIES, patiently
from backout.kube.status import error_from, error_of, is_success, message_of, status_of
from backout.kube.transport import Transport
from backout.kube.writes import Writes

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from backout.http.response import Response
    from backout.kube.connection import Connection

__all__ = ["Client", "Listing", "Patched", "ProxyAnswer", "RequestLine", "ServerDate", "WatchEvent"]

PAGE = 500
PAGE_CAP = 32 * 1024 * 1024
"""500 Pods with managed fields are some 10 MB; a list is refused at three times that."""
PROXY_CAP = 64 * 1024
ERROR_CAP = 64 * 1024
WATCH_SILENCE = 70.0
"""Bookmarks come about once a minute; a watch that is quiet for longer is dead (kopf)."""
JSON = "application/json"
METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
COUNTED = f"application/json;as=Table;g=meta.k8s.io;v=v1,{METADATA}"
"""A Table's rows hold what is printed of an object, and its metadata: never its data."""
WATCH_SECONDS = (240, 300)
QUIET = Surroundings()
Keep = Callable[[dict[str, Any]], Mapping[str, Any]]


class Client:
    """An async context manager: one API server, one user.

    `read_timeout` is for a whole read, with its repetitions (a page, where a list has several);
    `write_timeout` for one write: webhooks may take 30 s and a write is never resent. Both in
    seconds. `on_request` is called once a request, `on_warning` once a warning of the server's.

    Errors: ConfigError (credentials), ApiError's family (what the server says), Unreachable, and
    for writes Unclear.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        read_timeout: float = 10.0,
        write_timeout: float = 60.0,
        on_request: Callable[[RequestLine], None] | None = None,
        on_warning: Callable[[str], None] | None = None,
        around: Surroundings = QUIET,
        watch_silence: float = WATCH_SILENCE,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._transport = Transport(
            connection, around=around, on_request=on_request, on_warning=on_warning
        )
        self._read_timeout = read_timeout
        self._writes = Writes(self._transport, timeout=write_timeout, clock=clock)
        self._watch_silence = watch_silence
        self._clock = clock
        self._warming: asyncio.Future[None] | None = None

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(self, *failure: object) -> None:
        if self._warming is not None:
            self._warming.cancel()
            await asyncio.wait({self._warming})
        await self._transport.__aexit__(*failure)

    async def log_in(self) -> None:
        """Find out who we are before the first request: a credential plugin may ask a person.

        Within no time but the caller's. Raises ConfigError where it cannot be found out.
        """
        await self._transport.log_in()

    def warm(self, count: int) -> None:
        """Open so many connections beside what comes next, which then need not wait for them."""
        self._warming = asyncio.ensure_future(self._transport.warm(count))

    @property
    def plain(self) -> Client:
        """The client that reads everything again (see `shared.SharedClient`): this one does."""
        return self

    @property
    def server_date(self) -> ServerDate | None:
        """The server's time by its last answer, None before the first."""
        return self._transport.server_date

    @property
    def requests(self) -> int:
        """How many requests have been answered, or were given up."""
        return self._transport.requests

    def now(self) -> datetime:
        """Return the server's time: its latest `Date`, moved on by our monotonic clock.

        Raises Unreachable where no answer ever carried one (a proxy that strips it).
        """
        # Date is cut to whole seconds: by the last one alone, time would run backwards at times.
        _, ahead = self._known_clocks()
        return datetime.fromtimestamp(asyncio.get_running_loop().time() + ahead, tz=UTC)

    def earliest(self) -> datetime:
        """Return the time by the slowest clock that was seen: of API servers there may be several.

        Raises as `now` does.
        """
        behind, _ = self._known_clocks()
        return datetime.fromtimestamp(asyncio.get_running_loop().time() + behind, tz=UTC)

    def _known_clocks(self) -> tuple[float, float]:
        """Return by how much the slowest and the fastest server's clock differ from ours."""
        clocks = self._transport.clocks
        if clocks is None:
            raise Unreachable(
                "the API server's answers carry no Date header, so its time is not known",
                remedy="ask the owner of the proxy in front of it to let Date pass",
            )
        return clocks

    async def get(self, path: str, params: Mapping[str, str] = NO_PARAMS) -> dict[str, Any]:
        """Return one object."""
        return await self._read(path, params, tries=TRIES)

    async def metadata(self, path: str) -> dict[str, Any]:
        """Return an object's metadata alone: of a Secret no value ever leaves the server.

        Source: kubernetes.io/docs/reference/using-api/api-concepts (PartialObjectMetadata).
        """
        return await self._read(path, NO_PARAMS, tries=TRIES, accept=METADATA)

    async def counted(self, path: str) -> tuple[dict[str, Any], int | None]:
        """Return a ConfigMap's or Secret's metadata, and how many keys it has (None: not told).

        Source: kubernetes.io/docs/reference/using-api/api-concepts (Table).
        """
        return counted_in(await self._read(path, NO_PARAMS, tries=TRIES, accept=COUNTED))

    async def list(
        self,
        path: str,
        *,
        label_selector: str = "",
        field_selector: str = "",
        tries: int = TRIES,
        keep: Keep = dict,
    ) -> Listing:
        """Return a consistent list: the newest state, all pages of one resourceVersion.

        When the pages expire in the middle (410), the list is read once more, in one piece. Of each
        object what `keep` returns stays, page by page, to save memory.
        """
        selectors = _selectors(label_selector, field_selector)
        return await self._listed(path, selectors, tries=tries, keep=keep)

    async def first(self, path: str, most: int) -> tuple[tuple[dict[str, Any], ...], bool]:
        """Return the first objects of a list, so many at most, and whether there are more."""
        page = await self._read(path, {"limit": str(most)}, cap=PAGE_CAP, tries=TRIES)
        return tuple(items_in(page)), bool((page.get("metadata") or {}).get("continue"))

    async def selected(self, path: str, selector: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return what a LabelSelector selects of a list, without the names of managed fields."""
        listing = await self.list(path, label_selector=selector_text(selector), keep=slim)
        return tuple(listing.items)

    async def create(
        self,
        path: str,
        body: Mapping[str, Any],
        *,
        params: Mapping[str, str] = NO_PARAMS,
        timeout: float | None = None,  # noqa: ASYNC109 (instead of write_timeout, in seconds)
    ) -> dict[str, Any]:
        """Create the object; return it as the server made it. Conflict if it exists."""
        found, _ = await self._writes.send("POST", path, body, params=params, timeout=timeout)
        return found

    async def replace(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Replace the object; Conflict if the resourceVersion in `body` is not the newest.

        Beware: where the object is missing, some types are created (docs/facts/api-server.md).
        """
        found, _ = await self._writes.send("PUT", path, body)
        return found

    async def patch_json(
        self,
        path: str,
        ops: Sequence[Mapping[str, Any]],
        *,
        dry_run: bool = False,
        params: Mapping[str, str] = NO_PARAMS,
    ) -> Patched:
        """Apply a JSON Patch (RFC 6902); with `dry_run` the server only says what would be.

        An unknown field in it is Invalid (fieldValidation=Strict), not dropped.
        """
        strict = {"fieldValidation": "Strict", **({"dryRun": "All"} if dry_run else {}), **params}
        found, reply = await self._writes.send(
            "PATCH", path, ops, params=strict, content_type="application/json-patch+json"
        )
        return Patched(object=found, warnings=reply.warnings, audit_id=reply.audit_id)

    async def patch_merge(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Apply a JSON Merge Patch (RFC 7386)."""
        merge = "application/merge-patch+json"
        found, _ = await self._writes.send("PATCH", path, body, content_type=merge)
        return found

    async def delete(self, path: str, *, uid: str, version: str = "") -> None:
        """Delete the object of this UID, with its own grace period; Conflict if it is another.

        With `version`, its resourceVersion, also where anybody has written it since.
        """
        preconditions = {"uid": uid, **({"resourceVersion": version} if version else {})}
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": preconditions}
        await self._writes.send("DELETE", path, body)

    async def proxy(self, path: str, *, timeout: float) -> ProxyAnswer:  # noqa: ASYNC109 (contract)
        """Ask an application through the API server (see `paths.pod_proxy`); asked once only.

        Whatever anybody answers is returned; Unreachable is raised only where nobody did.
        """
        reply = await self._transport.send(
            Call(
                method="GET",
                path=path,
                timeout=timeout,
                accept="*/*",
                cap=PROXY_CAP,
                truncate=True,
                is_foreign=True,
            )
        )
        response = reply.response
        status = status_of(response.body)
        return ProxyAnswer(
            status=response.status,
            by_api_server=status is not None,
            message=message_of(status) if status is not None else "",
            body=response.body,
            content_type=response.headers.content_type,
            coding=response.coding,
        )

    async def text(
        self,
        path: str,
        *,
        params: Mapping[str, str],
        timeout: float,  # noqa: ASYNC109 (contract)
    ) -> str:
        """Return a plain text, its end cut off at the cap; asked once only."""
        call = Call(
            method="GET",
            path=path,
            params=params,
            timeout=timeout,
            accept="*/*",
            cap=PROXY_CAP,
            truncate=True,
        )
        response = (await self._transport.send(call)).response
        if not is_success(response.status):
            raise error_of(response, self._transport.host)
        return response.body.decode(errors="replace")

    async def watch(
        self,
        path: str,
        *,
        resource_version: str,
        label_selector: str = "",
        field_selector: str = "",
    ) -> AsyncGenerator[WatchEvent, None]:
        """Yield the events of one watch request; end where the server ends it properly.

        Raises what an ERROR event holds (Gone: list again), and Unreachable when the connection
        breaks, is cut inside an event, or nothing is heard for 70 s (bookmarks are asked for).
        """
        params = {
            **_selectors(label_selector, field_selector),
            "watch": "true",
            "resourceVersion": resource_version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(random.randint(*WATCH_SECONDS)),  # noqa: S311 (jitter)
        }
        call = Call(method="GET", path=path, params=params, timeout=self._read_timeout)
        async with self._transport.stream(call, silence=self._watch_silence) as stream:
            if not is_success(stream.status):
                body = await stream.body(cap=ERROR_CAP)
                raise error_from(stream.status, stream.headers, body, host=self._transport.host)
            async with aclosing(stream.lines()) as lines:
                async for line in lines:
                    yield event_in(line, host=self._transport.host)

    async def _listed(
        self,
        path: str,
        params: Mapping[str, str],
        *,
        tries: int,
        accept: str = JSON,
        keep: Keep = dict,
    ) -> Listing:
        how: Any = {"tries": tries, "accept": accept, "keep": keep}
        try:
            return await self._pages(path, {**params, "limit": str(PAGE)}, **how)
        except Gone:
            return await self._pages(path, params, **how)

    async def _pages(
        self, path: str, params: Mapping[str, str], *, tries: int, accept: str, keep: Keep
    ) -> Listing:
        items: Any = []
        token = ""
        while True:
            more = {**params, "continue": token} if token else params
            page = await self._read(path, more, cap=PAGE_CAP, tries=tries, accept=accept)
            items.extend(map(keep, items_in(page)))
            metadata = page.get("metadata") or {}
            before, token = token, metadata.get("continue") or ""
            if token and token == before:
                raise Unreachable(f"{self._transport.host} gives the same page of a list for ever")
            if not token:
                version = str(metadata.get("resourceVersion") or "")
                return Listing(items=items, resource_version=version)

    async def _read(
        self,
        path: str,
        params: Mapping[str, str],
        *,
        tries: int,
        cap: int = BODY_CAP,
        accept: str = JSON,
    ) -> dict[str, Any]:
        async def ask(left: float) -> Response:
            seconds = max(0.1, round(left, 1))
            call = Call(
                method="GET", path=path, params=params, timeout=seconds, cap=cap, accept=accept
            )
            return (await self._transport.send(call)).response

        response = await patiently(ask, budget=self._read_timeout, tries=tries, clock=self._clock)
        if not is_success(response.status):
            raise error_of(response, self._transport.host)
        return object_in(response, host=self._transport.host)


def _selectors(labels: str, fields: str) -> dict[str, str]:
    given = {"labelSelector": labels, "fieldSelector": fields}
    return {name: text for name, text in given.items() if text}
