"""What a registry's answer means, over real sockets on loopback."""

from __future__ import annotations

import asyncio

import pytest

from backout.core.images.names import ImageState
from tests.contract.registry.scripts import (
    DIGEST,
    FOUND,
    HERE,
    MANIFEST,
    NOT_FOUND,
    OPEN,
    TAGS,
    declared,
    registry_of,
)
from tests.contract.scripted_server import (
    WITHIN,
    Answer,
    Close,
    Hang,
    Raw,
    Received,
    ScriptedServer,
    Step,
)

HTML = {"Content-Type": "text/html; charset=utf-8"}


async def test_a_manifest_is_asked_for_with_head_and_all_four_types() -> None:
    async with ScriptedServer([FOUND]) as server, declared(server) as client:
        await client.ask(f"{registry_of(server)}/acme/web:1.2")

    (request,) = server.requests
    assert (request.method, request.target) == ("HEAD", "/v2/acme/web/manifests/1.2")
    assert "authorization" not in request.headers
    assert request.headers["accept"].split(", ") == [
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    ]


async def test_an_image_that_is_there_has_digest_and_type() -> None:
    async with ScriptedServer([FOUND]) as server, declared(server) as client:
        image = f"{registry_of(server)}/acme/web"
        answer = await client.ask(image)

    assert answer.state is ImageState.EXISTS
    assert (answer.image, answer.digest, answer.media_type) == (image, DIGEST, MANIFEST)
    assert answer.credential is None
    assert answer.detail == f"{registry_of(server)} has {image} ({DIGEST})"


@pytest.mark.parametrize("headers", [{}, {"Docker-Content-Digest": "nonsense"}])
async def test_an_older_registry_may_leave_the_digest_out(headers: dict[str, str]) -> None:
    async with ScriptedServer([Answer(headers=headers)]) as server, declared(server) as client:
        answer = await client.ask(f"{registry_of(server)}/acme/web:1")

    assert (answer.state, answer.digest) == (ImageState.EXISTS, None)


async def test_a_digest_is_asked_for_and_not_its_tag() -> None:
    async with ScriptedServer([FOUND]) as server, declared(server) as client:
        answer = await client.ask(f"{registry_of(server)}/acme/web:1@{DIGEST}")

    assert server.requests[0].path.endswith(f"/manifests/{DIGEST}")
    assert answer.digest == DIGEST


async def test_an_answer_for_another_digest_says_nothing() -> None:
    async with ScriptedServer([FOUND]) as server, declared(server) as client:
        answer = await client.ask(f"{registry_of(server)}/acme/web@sha256:{'b' * 64}")

    assert answer.state is ImageState.UNREACHABLE
    assert "answered for another digest" in answer.detail


async def test_not_found_in_a_repository_that_strangers_see_is_missing() -> None:
    async with ScriptedServer([NOT_FOUND, OPEN, TAGS]) as server, declared(server) as client:
        answer = await client.ask(f"{registry_of(server)}/acme/web:1")

    assert answer.state is ImageState.MISSING
    assert answer.detail.endswith(
        f"does not have {registry_of(server)}/acme/web:1 (404, asked without a credential)"
    )
    assert server.lines == [
        "HEAD /v2/acme/web/manifests/1",
        "GET /v2/",
        "GET /v2/acme/web/tags/list",
    ]


@pytest.mark.parametrize(
    "tags",
    [NOT_FOUND, Answer(status=401), Answer(headers=HTML)],
    ids=["404", "401", "a web page"],
)
async def test_not_found_in_one_that_they_do_not_see_is_not_visible_to_us(tags: Answer) -> None:
    """`/v2/` lets everybody in, and nobody is asked who he is: the node may have a credential."""
    async with ScriptedServer([NOT_FOUND, OPEN, tags]) as server, declared(server) as client:
        answer = await client.ask(f"{registry_of(server)}/acme/web:1")

    assert answer.state is ImageState.DENIED
    assert f"404 to strangers, and {tags.status} for its tags: it is not visible" in answer.detail
    assert answer.detail.endswith("; no credential for it was given")


@pytest.mark.parametrize(
    "base",
    [NOT_FOUND, Answer(status=500), Answer(headers=HTML), Answer(status=401)],
    ids=["404", "500", "a web page", "no challenge"],
)
async def test_not_found_from_one_that_lets_no_stranger_in_is_not_visible_to_us(
    base: Answer,
) -> None:
    async with ScriptedServer([NOT_FOUND, base]) as server, declared(server) as client:
        answer = await client.ask(f"{registry_of(server)}/acme/web:1")

    assert answer.state is ImageState.DENIED
    assert f"404 to strangers, and {base.status} for /v2/: it is not visible to us" in answer.detail


@pytest.mark.parametrize("coding", ["utf-8", "none", "identity", "gzip"])
async def test_the_head_of_a_manifest_has_no_body_that_could_be_encoded(coding: str) -> None:
    step = Answer(headers={**HERE, "Content-Encoding": coding})
    async with ScriptedServer([step]) as server, declared(server) as client:
        answer = await client.ask(f"{registry_of(server)}/acme/web:1")

    assert answer.state is ImageState.EXISTS


@pytest.mark.parametrize(
    ("step", "state", "words"),
    [
        (Answer(status=401), ImageState.DENIED, "no authentication that backout speaks"),
        (
            Answer(status=401, headers={"WWW-Authenticate": "Negotiate"}),
            ImageState.DENIED,
            "no authentication that backout speaks",
        ),
        (
            Answer(status=401, headers={"WWW-Authenticate": 'Basic realm="x"'}),
            ImageState.DENIED,
            "it wants a name and a password); no credential for it was given",
        ),
        (Answer(status=403), ImageState.DENIED, "(403, asked without a credential)"),
        (
            Answer(status=429, headers={"Retry-After": "30"}),
            ImageState.UNREACHABLE,
            "429, too many requests; wait 30 s",
        ),
        (Answer(status=400), ImageState.UNREACHABLE, "the registry answered 400"),
        (Answer(status=405), ImageState.UNREACHABLE, "the registry answered 405"),
        (Answer(status=500), ImageState.UNREACHABLE, "the registry answered 500"),
        (Answer(status=503, headers=HTML), ImageState.UNREACHABLE, "a web page"),
        (Answer(headers=HTML), ImageState.UNREACHABLE, "200 with a web page"),
        (
            Answer(status=404, headers=HTML),
            ImageState.UNREACHABLE,
            "404 with a web page",
        ),
        (Close(), ImageState.UNREACHABLE, "closed the connection without an answer"),
        (Raw(bytes=b"SSH-2.0-OpenSSH_9\r\n"), ImageState.UNREACHABLE, "HTTP"),
    ],
)
async def test_only_not_found_from_a_registry_proves_anything(
    step: Step, state: ImageState, words: str
) -> None:
    async with ScriptedServer([step]) as server, declared(server) as client:
        answer = await client.ask(f"{registry_of(server)}/acme/web:1")

    assert answer.state is state
    assert words in answer.detail
    assert len(server.requests) == 1


async def test_a_registry_that_speaks_html_but_says_what_it_is_is_believed() -> None:
    headers = {**HTML, "Docker-Distribution-Api-Version": "registry/2.0"}
    script = [Answer(status=404, headers=headers), OPEN, TAGS]
    async with ScriptedServer(script) as server, declared(server) as client:
        answer = await client.ask(f"{registry_of(server)}/acme/web:1")

    assert answer.state is ImageState.MISSING


async def test_a_registry_that_nobody_runs_is_unreachable() -> None:
    async with ScriptedServer() as server:
        pass
    async with declared(server) as client:
        answer = await client.ask(f"{registry_of(server)}/acme/web:1")

    assert answer.state is ImageState.UNREACHABLE
    assert "connection refused" in answer.detail


async def test_a_registry_that_never_answers_is_unreachable_in_time() -> None:
    async with ScriptedServer([Hang()]) as server, declared(server, seconds=0.2) as client:
        answer = await client.ask(f"{registry_of(server)}/acme/web:1")

    assert answer.state is ImageState.UNREACHABLE
    assert "within 0.2 s" in answer.detail


@pytest.mark.parametrize("image", ["", "docker/Docker", "a b", "reg.io/a:\x1b[2J", "x" * 5000])
async def test_what_is_no_reference_is_invalid_and_not_asked(image: str) -> None:
    async with ScriptedServer() as server, declared(server) as client:
        answer = await client.ask(image)

    assert (answer.state, answer.image) == (ImageState.INVALID, image)
    assert "\x1b" not in answer.detail
    assert len(answer.detail) < 400
    assert server.requests == []


async def test_an_image_is_asked_for_once_a_run_by_whatever_name() -> None:
    async with ScriptedServer([FOUND]) as server, declared(server) as client:
        name = f"{registry_of(server)}/acme/web"
        first, second = await asyncio.gather(client.ask(name), client.ask(f"{name}:latest"))
        third = await client.ask(name)

    assert len(server.requests) == 1
    assert (first.image, second.image) == (name, f"{name}:latest")
    assert first == third


async def test_one_who_stops_waiting_does_not_take_the_answer_from_others() -> None:
    gate = asyncio.Event()
    script = [Answer(headers=HERE, before=gate)]
    async with ScriptedServer(script) as server, declared(server) as client:
        impatient = asyncio.create_task(client.ask(f"{registry_of(server)}/acme/web"))
        patient = asyncio.create_task(client.ask(f"{registry_of(server)}/acme/web"))
        await server.received(1)
        impatient.cancel()
        gate.set()
        answer = await patient

    assert answer.state is ImageState.EXISTS
    assert impatient.cancelled()


async def test_several_images_are_asked_for_at_the_same_time() -> None:
    both = asyncio.Event()

    async def answer(_request: Received) -> Step:
        if len(server.requests) == 2:
            both.set()
        async with asyncio.timeout(WITHIN):
            await both.wait()
        return FOUND

    async with ScriptedServer(answer) as server, declared(server) as client:
        images = [f"{registry_of(server)}/acme/{name}" for name in ("web", "db")]
        answers = await asyncio.gather(*map(client.ask, images))

    assert {a.state for a in answers} == {ImageState.EXISTS}


async def test_after_too_many_requests_the_registry_is_left_alone() -> None:
    async with ScriptedServer([Answer(status=429)]) as server, declared(server) as client:
        await client.ask(f"{registry_of(server)}/acme/web")
        answer = await client.ask(f"{registry_of(server)}/acme/db")

    assert answer.state is ImageState.UNREACHABLE
    assert "429" in answer.detail
    assert len(server.requests) == 1


async def test_leaving_the_client_stops_what_is_still_asked() -> None:
    async with ScriptedServer([Hang()]) as server:
        async with declared(server) as client:
            waiting = asyncio.create_task(client.ask(f"{registry_of(server)}/acme/web"))
            await server.received(1)
        with pytest.raises(asyncio.CancelledError):
            await waiting
