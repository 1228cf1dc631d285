"""The client of image registries: whole images in, answers out, never an exception for either."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Self

from msgspec.structs import replace

from backout.core.errors import Unreachable
from backout.core.images.keyring import Keyring
from backout.core.images.names import ImageAnswer, ImageReference, ImageState, parse
from backout.core.text import untrusted
from backout.http.addresses import ANY_ADDRESS, NO_LOCAL
from backout.http.client import HttpClient
from backout.http.trust import with_authorities
from backout.registry import conversation
from backout.registry.route import Route
from backout.registry.verdict import Question, unreachable

if TYPE_CHECKING:
    from types import TracebackType

    from backout.http.proxies import ProxyFor

CONNECT_TIMEOUT = 5.0
MOST_AT_ONCE = 8
NO_KEYS = Keyring()


class RegistryClient:
    """Asks registries whether images are there. An async context manager, one a run.

    `plain_http` holds the registries (`host[:port]`, compared whole) that the user declared plain
    http; they may also live on this machine. `ca_file` is a PEM file of CAs trusted beside the
    system's. `timeout`, in seconds, is for one image's whole conversation. `proxy` tells for a URL
    by which one it is asked (None: none).
    """

    def __init__(
        self,
        *,
        keyring: Keyring,
        plain_http: frozenset[str] = frozenset(),
        ca_file: str | None = None,
        timeout: float = 10.0,
        proxy: ProxyFor | None = None,
    ) -> None:
        self._keyring = keyring
        self._plain_http = plain_http
        self._timeout = timeout
        tls = with_authorities(
            ca_file, remedy="give a PEM file with the registry's CA certificates"
        )
        self._guarded, self._declared = (
            HttpClient(tls=tls, connect_timeout=CONNECT_TIMEOUT, policy=policy, proxy=proxy)
            for policy in (NO_LOCAL, ANY_ADDRESS)
        )
        self._open = AsyncExitStack()
        self._routes: dict[str, Route] = {}
        self._asked: dict[tuple[str, Keyring], asyncio.Task[ImageAnswer]] = {}
        self._places = asyncio.Semaphore(MOST_AT_ONCE)

    async def __aenter__(self) -> Self:
        await self._open.enter_async_context(self._guarded)
        await self._open.enter_async_context(self._declared)
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        for task in self._asked.values():
            task.cancel()
        await asyncio.gather(*self._asked.values(), return_exceptions=True)
        await self._open.aclose()

    async def ask(self, image: str, *, pull: Keyring = NO_KEYS, fresh: bool = False) -> ImageAnswer:
        """Return what its registry says of an image (as a Pod template spells it).

        `pull` are the credentials of its Pod's own pull Secrets: tried after the user's. Asked
        once a run: names that mean the same manifest share one conversation, also while it is
        going on; `fresh` asks again. Never raises for what registry, network or name do.
        """
        try:
            reference = parse(image)
        except ValueError as error:
            return _invalid(image, error)
        key = f"{reference.name}@{reference.manifest}", pull
        if key not in self._asked or (fresh and self._asked[key].done()):
            self._asked[key] = asyncio.create_task(self._settle(reference, pull))
        # Shielded: the one who asked first may be cancelled while others still wait.
        answer = await asyncio.shield(self._asked[key])
        return replace(answer, image=image)

    async def _settle(self, reference: ImageReference, pull: Keyring) -> ImageAnswer:
        keyring = self._keyring.joined(pull)
        async with self._places:
            try:
                async with asyncio.timeout(self._timeout):
                    route = self._route(reference.registry)
                    return await conversation.ask(reference, keyring=keyring, route=route)
            except Unreachable as error:
                why = untrusted(error.message)
            except TimeoutError:
                why = f"no answer within {self._timeout:g} s"
        return unreachable(Question(image=reference), why)

    def _route(self, registry: str) -> Route:
        if registry not in self._routes:
            is_plain = registry in self._plain_http
            self._routes[registry] = Route(
                registry=registry,
                is_plain=is_plain,
                session=self._declared if is_plain else self._guarded,
                guarded=self._guarded,
                timeout=self._timeout,
            )
        return self._routes[registry]


def _invalid(image: str, error: ValueError) -> ImageAnswer:
    shown = untrusted(image) or "an empty name"
    return ImageAnswer(
        image=image, state=ImageState.INVALID, detail=f"{shown} is no image reference: {error}"
    )
