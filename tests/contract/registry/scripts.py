"""Answers that a scripted registry gives, and a client that was told of it."""

from __future__ import annotations

import base64
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from backout.core.images.docker_config import from_auths
from backout.core.images.keyring import Keyring
from backout.registry.client import RegistryClient
from tests.contract.scripted_server import WITHIN, Answer, Received, ScriptedServer, Step

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

DIGEST = "sha256:" + "a" * 64
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
HERE = {"Docker-Content-Digest": DIGEST, "Content-Type": MANIFEST}
FOUND = Answer(headers=HERE)
NOT_FOUND = Answer(status=404, headers={"Content-Type": "application/json"})
OPEN = Answer(json={})
"""What `/v2/` says where strangers are let in."""
TAGS = Answer(json={"name": "acme/web", "tags": ["2"]})
"""What a repository says to whom it is visible."""
WANTS_BASIC = Answer(status=401, headers={"WWW-Authenticate": 'Basic realm="here"'})
PASSWORD = "hunter2-made-up"


def basic(username: str, password: str = PASSWORD) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def keyring(*pairs: tuple[str, str]) -> Keyring:
    """Return a keyring of (key, username) pairs, all with the same password."""
    auths = {key: {"username": name, "password": PASSWORD} for key, name in pairs}
    return from_auths(auths, source="a test's file")


def registry_of(server: ScriptedServer) -> str:
    return f"127.0.0.1:{server.port}"


@asynccontextmanager
async def declared(
    server: ScriptedServer,
    keys: Keyring | None = None,
    *,
    ca_file: str | None = None,
    seconds: float = WITHIN,
) -> AsyncIterator[RegistryClient]:
    """Give a client whose user declared the server plain http."""
    client = RegistryClient(
        keyring=keys or Keyring(),
        plain_http=frozenset({registry_of(server)}),
        ca_file=ca_file,
        timeout=seconds,
    )
    async with client:
        yield client


def bearer(
    realm: Callable[[], str],
    *,
    token: Step | None = None,
    manifest: Step = FOUND,
    tags: Step = NOT_FOUND,
) -> Callable[[Received], Step]:
    """Script a registry that wants a token from `realm()` and, at `/token`, the service itself."""

    def answer(request: Received) -> Step:
        if request.path == "/token":
            return token or Answer(json={"token": "granted"})
        if request.headers.get("authorization") == "Bearer granted":
            return tags if request.path.endswith("/tags/list") else manifest
        challenge = f'Bearer realm="{realm()}",service="registry.test",scope="repository:x:push"'
        return Answer(status=401, headers={"WWW-Authenticate": challenge})

    return answer
