"""Against a real registry: anonymous, htpasswd, and bearer tokens that it verifies itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from backout.core.images.docker_config import from_auths
from backout.core.images.keyring import Keyring
from backout.core.images.names import ImageAnswer, ImageState
from backout.registry.client import RegistryClient
from tests.contract.registry import docker_registry
from tests.contract.registry.docker_registry import SECRET, USER
from tests.contract.registry.scripts import basic
from tests.contract.registry.tokens import ISSUER, SERVICE, TokenService
from tests.contract.scripted_server import ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def open_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with docker_registry.running(tmp_path_factory.mktemp("open")) as address:
        yield address


@pytest.fixture(scope="module")
def closed_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with docker_registry.closed(tmp_path_factory.mktemp("closed")) as address:
        yield address


async def asked(image: str, address: str, password: str | None = None) -> ImageAnswer:
    keys = Keyring()
    if password is not None:
        entry = {"username": USER, "password": password}
        keys = from_auths({address: entry}, source="a test's file")
    plain = frozenset({address})
    async with RegistryClient(keyring=keys, plain_http=plain) as client:
        return await client.ask(image)


async def test_an_image_that_was_pushed_is_there_with_its_digest(open_registry: str) -> None:
    digest = docker_registry.push(open_registry, "acme/web", "1")

    by_tag = await asked(f"{open_registry}/acme/web:1", open_registry)
    by_digest = await asked(f"{open_registry}/acme/web@{digest}", open_registry)

    assert (by_tag.state, by_tag.digest) == (ImageState.EXISTS, digest)
    assert by_tag.media_type == docker_registry.MANIFEST
    assert (by_digest.state, by_digest.digest) == (ImageState.EXISTS, digest)


async def test_an_index_is_there_too(open_registry: str) -> None:
    digest = docker_registry.push_index(open_registry, "acme/multi", "1")

    answer = await asked(f"{open_registry}/acme/multi:1", open_registry)

    assert (answer.state, answer.digest) == (ImageState.EXISTS, digest)
    assert answer.media_type == docker_registry.INDEX


async def test_the_platforms_of_an_index_are_told_and_attestations_are_none(
    open_registry: str,
) -> None:
    made = {a: docker_registry.push(open_registry, "acme/multi", a) for a in ("amd64", "arm64")}
    attestation = docker_registry.push(open_registry, "acme/multi", "attestation")
    digest = docker_registry.push_index(
        open_registry, "acme/multi", "2", **made, unknown=attestation
    )

    answer = await asked(f"{open_registry}/acme/multi:2", open_registry)

    assert (answer.digest, answer.unread) == (digest, "")
    assert answer.platforms == {"linux/amd64", "linux/arm64"}
    assert answer.digests == {digest, attestation, *made.values()}


async def test_a_tag_that_was_moved_tells_its_new_digest_and_the_old_one_is_still_there(
    open_registry: str,
) -> None:
    old = docker_registry.push(open_registry, "acme/moved", "1")
    new = docker_registry.push(open_registry, "acme/moved", "2")
    docker_registry.push_index(open_registry, "acme/moved", "1", amd64=new)

    by_tag = await asked(f"{open_registry}/acme/moved:1", open_registry)
    by_digest = await asked(f"{open_registry}/acme/moved@{old}", open_registry)

    assert old not in by_tag.digests
    assert new in by_tag.digests
    assert (by_digest.state, by_digest.digests) == (ImageState.EXISTS, frozenset({old}))


async def test_a_pods_own_pull_secret_opens_a_closed_registry_where_the_users_file_does_not(
    closed_registry: str,
) -> None:
    opener = basic(USER, SECRET)
    one = docker_registry.push(closed_registry, "acme/pulled", "1", authorization=opener)
    wrong = {closed_registry: {"username": USER, "password": "wrong-Passw0rd"}}
    right = {closed_registry: {"username": USER, "password": SECRET}}
    image = f"{closed_registry}/acme/pulled:1"
    async with RegistryClient(
        keyring=from_auths(wrong, source="a file"), plain_http=frozenset({closed_registry})
    ) as client:
        before = await client.ask(image)
        after = await client.ask(image, pull=from_auths(right, source="Secret shop/pull"))

    assert (before.state, after.state, after.digest) == (
        ImageState.DENIED,
        ImageState.EXISTS,
        one,
    )


@pytest.mark.parametrize(
    ("image", "state"),
    [("acme/web:never", ImageState.MISSING), ("acme/nobody:1", ImageState.DENIED)],
)
async def test_a_tag_that_was_never_pushed_is_missing_and_a_repository_is_not_seen(
    open_registry: str, image: str, state: ImageState
) -> None:
    docker_registry.push(open_registry, "acme/web", "1")

    answer = await asked(f"{open_registry}/{image}", open_registry)

    assert answer.state is state


async def test_a_deleted_image_is_missing(open_registry: str) -> None:
    digest = docker_registry.push(open_registry, "acme/gone", "1")
    before = await asked(f"{open_registry}/acme/gone:1", open_registry)
    docker_registry.delete(open_registry, "acme/gone", digest)

    by_tag = await asked(f"{open_registry}/acme/gone:1", open_registry)
    by_digest = await asked(f"{open_registry}/acme/gone@{digest}", open_registry)

    assert before.state is ImageState.EXISTS
    assert by_tag.state is ImageState.MISSING
    assert by_digest.state is ImageState.MISSING


async def test_a_password_opens_a_closed_registry(closed_registry: str) -> None:
    opener = basic(USER, SECRET)
    digest = docker_registry.push(closed_registry, "acme/web", "1", authorization=opener)

    there = await asked(f"{closed_registry}/acme/web:1", closed_registry, SECRET)
    gone = await asked(f"{closed_registry}/acme/web:2", closed_registry, SECRET)

    assert (there.state, there.digest) == (ImageState.EXISTS, digest)
    assert there.credential == closed_registry
    assert gone.state is ImageState.MISSING


@pytest.mark.parametrize("password", [None, "wrong-Passw0rd"])
async def test_a_closed_registry_tells_strangers_nothing(
    closed_registry: str, password: str | None
) -> None:
    answer = await asked(f"{closed_registry}/acme/never-pushed:1", closed_registry, password)

    assert answer.state is ImageState.DENIED
    assert "wrong-Passw0rd" not in repr(answer)


@pytest.mark.parametrize(
    ("image", "password", "state"),
    [
        ("acme/public:1", None, ImageState.EXISTS),
        ("acme/public:2", None, ImageState.MISSING),
        ("acme/private:1", None, ImageState.DENIED),
        ("acme/private:1", SECRET, ImageState.EXISTS),
        ("acme/private:2", SECRET, ImageState.MISSING),
        ("acme/private:1", "wrong-Passw0rd", ImageState.DENIED),
    ],
)
async def test_a_token_that_the_registry_verifies_opens_what_it_grants(
    tmp_path: Path, image: str, password: str | None, state: ImageState
) -> None:
    service = TokenService(
        members=frozenset({basic(USER, SECRET)}), public=frozenset({"acme/public"})
    )
    service.write_bundle(tmp_path / "bundle.pem")
    async with ScriptedServer(service.answer) as server:
        auth = {
            "token": {
                "realm": f"{server.url}/token",
                "service": SERVICE,
                "issuer": ISSUER,
                "rootcertbundle": str(tmp_path / "bundle.pem"),
            }
        }
        with docker_registry.running(tmp_path, auth) as address:
            for name in ("acme/public", "acme/private"):
                pusher = service.signed("repository", name, ["pull", "push"])
                docker_registry.push(address, name, "1", authorization=f"Bearer {pusher}")
            answer = await asked(f"{address}/{image}", address, password)

    assert answer.state is state
    assert server.lines == ["GET /token"]
