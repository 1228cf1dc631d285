"""The way to one registry: scheme, session, and whom it may send us to.

An image's name comes from the cluster and a token realm from the registry, so neither may make
this machine talk to itself or to its cloud's metadata service, nor carry a password in the clear
(docs/facts/registries.md).
"""

from __future__ import annotations

import ipaddress
import re
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlencode, urlsplit

from backout.core.errors import Unreachable
from backout.core.text import untrusted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backout.core.images.keyring import Secret
    from backout.core.images.names import ImageReference
    from backout.http.client import HttpClient, Response

# All four: a registry answers 404 for a manifest whose type is not accepted (dkregistry-rs#243).
MANIFEST_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)

_TOKEN_CAP = 1024 * 1024
_REALM = re.compile(r"[\x21-\x7e]{1,2048}")


class Route:
    """How to reach one registry, `host[:port]`.

    `is_plain` where the user declared it plain http: then `session` may go to any address, for
    the user named this one. `guarded` never goes to local addresses. `timeout` in seconds, for
    each request.
    """

    def __init__(
        self,
        *,
        registry: str,
        is_plain: bool,
        session: HttpClient,
        guarded: HttpClient,
        timeout: float,
    ) -> None:
        self.registry = registry
        self._is_plain = is_plain
        self._session = session
        self._guarded = guarded
        self._timeout = timeout
        self._is_tired = False

    async def head(self, image: ImageReference, authorization: Secret | None) -> Response:
        """Ask whether an image's manifest is there. Raises Unreachable.

        After a 429 nothing more is asked in this run: the registry said so.
        """
        return await self._ask("HEAD", image, image.manifest, authorization, self._timeout)

    async def get(
        self, image: ImageReference, manifest: str, authorization: Secret | None
    ) -> Response:
        """Read a manifest, by tag or digest, of an image that is there. Raises Unreachable."""
        return await self._ask("GET", image, manifest, authorization, self._timeout / 2)

    async def base(self) -> Response:
        """Ask `/v2/` as a stranger: whether one is let in, or how to be. Raises Unreachable."""
        return await self._send("GET", "/v2/", {}, self._timeout / 2)

    async def tags(self, image: ImageReference, authorization: Secret | None) -> Response:
        """Ask for the tags of an image's repository: whether it is visible. Raises Unreachable."""
        headers = {} if authorization is None else {"Authorization": authorization.reveal()}
        path = f"/v2/{image.repository}/tags/list?n=1"
        return await self._send("GET", path, headers, self._timeout / 2)

    async def _ask(
        self,
        method: str,
        image: ImageReference,
        manifest: str,
        authorization: Secret | None,
        seconds: float,
    ) -> Response:
        headers = {"Accept": ", ".join(MANIFEST_TYPES)}
        if authorization is not None:
            headers["Authorization"] = authorization.reveal()
        path = f"/v2/{image.repository}/manifests/{manifest}"
        return await self._send(method, path, headers, seconds)

    async def _send(
        self, method: str, path: str, headers: Mapping[str, str], seconds: float
    ) -> Response:
        if self._is_tired:
            raise Unreachable("the registry answered 429, too many requests, a moment ago")
        if not self._is_plain and is_loopback(_host(self.registry)):
            raise Unreachable(
                f"{self.registry} is this machine's own loopback, not the node's; "
                f"--registry-plain-http {self.registry} asks it anyway"
            )
        scheme = "http" if self._is_plain else "https"
        url = f"{scheme}://{self.registry}{path}"
        response = await self._session.request(method, url, headers=headers, timeout=seconds)
        self._is_tired |= response.status == HTTPStatus.TOO_MANY_REQUESTS
        return response

    async def token(
        self, realm: str, query: dict[str, str], authorization: Secret | None
    ) -> Response:
        """Ask the registry's token service. Raises Unreachable where that is not safe."""
        parts = self._checked(realm)
        if authorization is not None:
            self._check_secrecy(parts)
        headers = {} if authorization is None else {"Authorization": authorization.reveal()}
        local = is_loopback(parts.hostname or "")
        session = self._session if local else self._guarded
        joined = "&".join(filter(None, (parts.query, urlencode(query))))
        url = parts._replace(query=joined, fragment="").geturl()
        return await session.request(
            "GET", url, headers=headers, timeout=self._timeout, cap=_TOKEN_CAP
        )

    def _checked(self, realm: str) -> SplitResult:
        parts = _split(realm)
        host = untrusted(parts.hostname or "", 128)
        if parts.scheme != "https" and not (self._is_plain and parts.scheme == "http"):
            raise Unreachable(f"the token realm at {host} is not https: not followed")
        # Only a registry that the user declared and that lives here itself may keep its token
        # service here too.
        if is_loopback(parts.hostname or "") and not (
            self._is_plain and is_loopback(_host(self.registry))
        ):
            raise Unreachable(
                f"the token realm {host} is this machine's own loopback: not followed"
            )
        return parts

    def _check_secrecy(self, parts: SplitResult) -> None:
        if parts.scheme == "http" and parts.hostname != _host(self.registry):
            host = untrusted(parts.hostname or "", 128)
            raise Unreachable(
                f"the token realm at {host} is not https: no credential is sent there"
            )


def is_loopback(host: str) -> bool:
    """Tell whether a host says by itself that it is this machine: `localhost`, `127.0.0.1`, `::1`.

    Names that only resolve to such an address are the session's affair.
    """
    host = host.lower().rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _host(registry: str) -> str:
    return urlsplit(f"//{registry}").hostname or ""


def _split(realm: str) -> SplitResult:
    try:
        parts = urlsplit(realm if _REALM.fullmatch(realm) else "")
        _ = parts.port
    except ValueError:
        parts = urlsplit("")
    if not parts.hostname or "@" in parts.netloc or "\\" in realm:
        raise Unreachable("the token realm is no usable address")
    return parts
