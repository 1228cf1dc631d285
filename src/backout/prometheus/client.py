"""The client of Prometheus' HTTP API: values out, never an exception for what it answers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self
from urllib.parse import urlencode

from backout.core.errors import BackoutError
from backout.core.health.metric import STALE, Alert, NoAnswer, Vector
from backout.core.text import untrusted
from backout.http.client import HttpClient
from backout.prometheus import answers

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

    from backout.http.proxies import ProxyFor

CONNECT_TIMEOUT = 3.0
CAP = 2 * 1024 * 1024
_LONGEST_TARGET = 2000
"""Characters of a query that still go into the URL: some gateways let only GET through."""
_FORM = "application/x-www-form-urlencoded"


class PrometheusClient:
    """Asks one server. An async context manager, one a run.

    `url` may end in a path (Thanos, a gateway); `authorization` is sent to this host only: no
    redirect is followed. `timeout`, in seconds, is for one request. `proxy` tells for a URL by
    which one it is asked (None: none).
    """

    def __init__(
        self,
        url: str,
        *,
        authorization: str = "",
        tls: ssl.SSLContext | None = None,
        timeout: float = 3.0,
        proxy: ProxyFor | None = None,
    ) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": authorization} if authorization else {}
        self._timeout = timeout
        self._session = HttpClient(
            tls=tls, connect_timeout=min(timeout, CONNECT_TIMEOUT), proxy=proxy
        )

    async def __aenter__(self) -> Self:
        await self._session.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._session.__aexit__(kind, error, trace)

    async def query(self, expression: str, *, plain: bool = False) -> Vector | NoAnswer:
        """Return what an expression comes to now, by the server's clock.

        By default the server gives out values up to five minutes old as if they were measured now.
        It is told to look back no further than a value counts as fresh; a server that does not know
        that ignores it (2.42, measured), so for a `plain` name and labels it is also asked when
        they were measured.
        """
        if not plain:
            return await self._vector(expression)
        values, times = await asyncio.gather(
            self._vector(expression), self._vector(f"timestamp({expression})")
        )
        if isinstance(values, NoAnswer):
            return values
        return times if isinstance(times, NoAnswer) else values.measured(times)

    async def alerts(self) -> tuple[Alert, ...] | NoAnswer:
        """Return the alerts that fire."""
        answer = await self._data("/api/v1/alerts", {})
        return answer if isinstance(answer, NoAnswer) else answers.alerts(answer)

    async def _vector(self, expression: str) -> Vector | NoAnswer:
        asked = {"query": expression, "lookback_delta": f"{STALE:.0f}"}
        answer = await self._data("/api/v1/query", asked)
        return answer if isinstance(answer, NoAnswer) else answers.vector(answer)

    async def _data(self, path: str, asked: dict[str, str]) -> answers.Told | NoAnswer:
        form = urlencode(asked)
        is_short = len(form) <= _LONGEST_TARGET
        target = f"{self._url}{path}{f'?{form}' if form and is_short else ''}"
        try:
            response = await self._session.request(
                "GET" if is_short else "POST",
                target,
                headers=self._headers if is_short else {**self._headers, "Content-Type": _FORM},
                body=None if is_short else form.encode(),
                timeout=self._timeout,
                cap=CAP,
            )
        except BackoutError as error:
            return NoAnswer(why=untrusted(error.message))
        return answers.told(response)
