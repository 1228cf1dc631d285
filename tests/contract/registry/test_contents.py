"""Reading an index: only where it is needed, never believed blindly, never in place of the HEAD."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from backout.core.images.names import ImageAnswer, ImageState
from tests.contract.registry.scripts import (
    FOUND,
    MANIFEST,
    WANTS_BASIC,
    basic,
    declared,
    keyring,
    registry_of,
)
from tests.contract.scripted_server import Answer, Close, Hang, Received, ScriptedServer

if TYPE_CHECKING:
    from tests.contract.scripted_server import Step

INDEX = "application/vnd.oci.image.index.v1+json"
CHILD = "sha256:" + "c" * 64


def index(*platforms: Any) -> bytes:
    listed = [{"digest": CHILD, "platform": p} for p in platforms]
    return json.dumps({"schemaVersion": 2, "manifests": listed}).encode()


def head_of(body: bytes, media_type: str = INDEX, *, tells: bool = True) -> Answer:
    digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
    told = {"Docker-Content-Digest": digest} if tells else {}
    return Answer(headers={**told, "Content-Type": media_type})


async def asked(*script: Step, seconds: float = 10.0) -> tuple[ImageAnswer, list[Received]]:
    async with (
        ScriptedServer(list(script)) as server,
        declared(server, seconds=seconds) as client,
    ):
        answer = await client.ask(f"{registry_of(server)}/acme/web:1")
        return answer, list(server.requests)


async def test_a_manifest_is_not_read_and_an_index_is_read_once_by_its_digest() -> None:
    _, of_manifest = await asked(FOUND)
    body = index({"os": "linux", "architecture": "amd64"})
    answer, of_index = await asked(head_of(body), Answer(body=body))

    assert [r.method for r in of_manifest] == ["HEAD"]
    assert [r.method for r in of_index] == ["HEAD", "GET"]
    assert of_index[1].path == f"/v2/acme/web/manifests/{answer.digest}"
    assert answer.platforms == {"linux/amd64"}


async def test_it_is_read_as_whoever_saw_it() -> None:
    body = index()
    script = [WANTS_BASIC, head_of(body), Answer(body=body)]
    async with ScriptedServer(script) as server:
        here = registry_of(server)
        async with declared(server, keyring((here, "robot"))) as client:
            answer = await client.ask(f"{here}/acme/web:1")

    assert (answer.state, answer.entries) == (ImageState.EXISTS, ())
    assert [r.headers.get("authorization") for r in server.requests] == [
        None,
        basic("robot"),
        basic("robot"),
    ]


async def test_where_no_digest_is_told_the_bytes_tell_it() -> None:
    body = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST}).encode()
    answer, _ = await asked(head_of(body, MANIFEST, tells=False), Answer(body=body))

    assert answer.digest == f"sha256:{hashlib.sha256(body).hexdigest()}"


@pytest.mark.parametrize(
    "platform",
    [
        None,
        {},
        {"os": "unknown", "architecture": "unknown"},
        {"os": "linux"},
        {"os": "linux", "architecture": "\x1b[2J"},
        {"os": ["linux"], "architecture": {}},
        "linux/amd64",
        7,
    ],
)
async def test_an_entry_without_a_platform_that_is_one_is_for_none(platform: Any) -> None:
    body = index(platform)
    answer, _ = await asked(head_of(body), Answer(body=body))

    assert (answer.platforms, answer.unread) == (frozenset(), "")
    assert CHILD in answer.digests


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (Answer(body=b"{}"), "other bytes than their digest says"),
        (Answer(status=500), "the registry answered 500"),
        (Answer(status=307, headers={"Location": "http://169.254.169.254/"}), "answered 307"),
        (Answer(status=429), "the registry answered 429"),
        (Answer(body=b"x" * (4 * 1024 * 1024 + 1)), "more than 4 MiB"),
        (Close(), "closed the connection"),
        (Hang(), ""),
    ],
)
async def test_an_index_that_cannot_be_read_is_there_all_the_same(step: Step, words: str) -> None:
    answer, _ = await asked(head_of(index()), step, seconds=1.0)

    assert answer.state is ImageState.EXISTS
    assert answer.unread
    assert words in answer.unread
    assert answer.entries is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'"index"',
        b'{"schemaVersion": 2}',
        b'{"schemaVersion": 2, "manifests": {}}',
        b"[" * 100_000,
        b'{"schemaVersion": 2, "manifests": [' + b"{}," * 1001 + b"{}]}",
    ],
)
async def test_what_is_no_index_is_said_to_be_none(body: bytes) -> None:
    answer, _ = await asked(head_of(body), Answer(body=body))

    assert (answer.state, answer.unread) == (ImageState.EXISTS, "it is no index that can be read")


async def test_entries_that_are_none_are_left_out() -> None:
    entries = [None, 7, {}, {"digest": 7}, {"digest": "sha256:short"}, {"digest": CHILD}]
    body = json.dumps({"schemaVersion": 2, "manifests": entries}).encode()
    answer, _ = await asked(head_of(body), Answer(body=body))

    assert answer.digests == {answer.digest, CHILD}
