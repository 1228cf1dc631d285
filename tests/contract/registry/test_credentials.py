"""Challenges met with a keyring's credentials: in turn, bounded, and only as far as they go."""

from __future__ import annotations

import pytest

from backout.core.images.docker_config import from_auths
from backout.core.images.names import ImageState
from tests.contract.registry.scripts import (
    FOUND,
    NOT_FOUND,
    OPEN,
    PASSWORD,
    TAGS,
    WANTS_BASIC,
    basic,
    bearer,
    declared,
    keyring,
    registry_of,
)
from tests.contract.scripted_server import Answer, ScriptedServer, Step, Stream


async def test_a_basic_challenge_is_met_with_the_credential() -> None:
    async with ScriptedServer([WANTS_BASIC, FOUND]) as server:
        keys = keyring((registry_of(server), "robot"))
        async with declared(server, keys) as client:
            answer = await client.ask(f"{registry_of(server)}/acme/web:1")

    sent = [request.headers.get("authorization") for request in server.requests]
    assert sent == [None, basic("robot")]
    assert (answer.state, answer.credential) == (ImageState.EXISTS, registry_of(server))


async def test_not_found_after_an_accepted_credential_is_missing() -> None:
    async with ScriptedServer([WANTS_BASIC, NOT_FOUND]) as server:
        keys = keyring((registry_of(server), "robot"))
        async with declared(server, keys) as client:
            answer = await client.ask(f"{registry_of(server)}/acme/web:1")

    assert answer.state is ImageState.MISSING
    assert (
        f"asked with the credential for '{registry_of(server)}' in a test's file" in answer.detail
    )


@pytest.mark.parametrize("base", [WANTS_BASIC, NOT_FOUND, OPEN], ids=["401", "404", "open"])
@pytest.mark.parametrize(
    ("last", "state"), [(FOUND, ImageState.EXISTS), (NOT_FOUND, ImageState.MISSING)]
)
async def test_where_strangers_are_told_not_found_the_credential_is_tried(
    base: Answer, last: Answer, state: ImageState
) -> None:
    async with ScriptedServer([NOT_FOUND, base, last]) as server:
        keys = keyring((registry_of(server), "robot"))
        async with declared(server, keys) as client:
            answer = await client.ask(f"{registry_of(server)}/acme/web:1")

    sent = [request.headers.get("authorization") for request in server.requests]
    assert sent == [None, None, basic("robot")]
    assert (answer.state, answer.credential) == (state, registry_of(server))


@pytest.mark.parametrize(
    ("base", "tags", "state"),
    [
        (NOT_FOUND, TAGS, ImageState.DENIED),
        (OPEN, TAGS, ImageState.MISSING),
        (OPEN, NOT_FOUND, ImageState.DENIED),
    ],
)
async def test_a_credential_that_is_refused_leaves_what_strangers_know(
    base: Answer, tags: Answer, state: ImageState
) -> None:
    async with ScriptedServer([NOT_FOUND, base, WANTS_BASIC, tags]) as server:
        keys = keyring((registry_of(server), "robot"))
        async with declared(server, keys) as client:
            answer = await client.ask(f"{registry_of(server)}/acme/web:1")

    assert answer.state is state


async def test_credentials_are_tried_in_turn_until_one_sees_the_image() -> None:
    script = [WANTS_BASIC, WANTS_BASIC, NOT_FOUND, FOUND]
    async with ScriptedServer(script) as server:
        here = registry_of(server)
        keys = keyring((here, "c"), (f"{here}/acme", "b"), (f"{here}/acme/web", "a"))
        async with declared(server, keys) as client:
            answer = await client.ask(f"{here}/acme/web:1")

    sent = [request.headers.get("authorization") for request in server.requests]
    assert sent == [None, basic("a"), basic("b"), basic("c")]
    assert (answer.state, answer.credential) == (ImageState.EXISTS, here)


async def test_one_not_found_outranks_the_refusals_of_others() -> None:
    async with ScriptedServer([WANTS_BASIC, NOT_FOUND, WANTS_BASIC]) as server:
        here = registry_of(server)
        keys = keyring((here, "b"), (f"{here}/acme", "a"))
        async with declared(server, keys) as client:
            answer = await client.ask(f"{here}/acme/web:1")

    assert (answer.state, answer.credential) == (ImageState.MISSING, f"{here}/acme")


async def test_an_endless_401_ends_after_five_credentials() -> None:
    async with ScriptedServer(lambda _request: WANTS_BASIC) as server:
        here = registry_of(server)
        keys = keyring(*((f"{here}/{'acme/web'[:n]}", f"robot{n}") for n in range(1, 9)))
        async with declared(server, keys) as client:
            answer = await client.ask(f"{here}/acme/web:1")

    assert answer.state is ImageState.DENIED
    assert len(server.requests) == 1 + 5


async def test_an_endless_401_for_tokens_ends_too() -> None:
    refused = Answer(status=401, headers={"WWW-Authenticate": 'Bearer realm="http://127.0.0.1"'})
    async with ScriptedServer(bearer(lambda: f"{server.url}/token", manifest=refused)) as server:
        here = registry_of(server)
        async with declared(server, keyring((here, "robot"))) as client:
            answer = await client.ask(f"{here}/acme/web:1")

    assert (answer.state, answer.credential) == (ImageState.DENIED, here)
    assert len(server.requests) == 3


async def test_a_denial_says_which_credential_was_tried_and_never_its_value() -> None:
    async with ScriptedServer(lambda _request: WANTS_BASIC) as server:
        here = registry_of(server)
        async with declared(server, keyring((here, "robot"))) as client:
            answer = await client.ask(f"{here}/acme/web:1")

    assert (answer.state, answer.credential) == (ImageState.DENIED, here)
    assert f"401, asked with the credential for '{here}' in a test's file" in answer.detail
    assert PASSWORD not in repr(answer)
    assert basic("robot").removeprefix("Basic ") not in repr(answer)


async def test_a_denial_names_the_entry_that_cannot_be_used() -> None:
    async with ScriptedServer([WANTS_BASIC]) as server:
        here = registry_of(server)
        keys = from_auths({here: {"identitytoken": PASSWORD}}, source="config.json")
        async with declared(server, keys) as client:
            answer = await client.ask(f"{here}/acme/web:1")

    assert answer.state is ImageState.DENIED
    assert answer.detail.endswith(
        f"; the entry '{here}' in config.json is an identitytoken, not supported yet"
    )


@pytest.mark.parametrize("field", ["token", "access_token"])
async def test_an_anonymous_token_is_asked_for_where_there_is_no_credential(field: str) -> None:
    script = bearer(lambda: f"{server.url}/token?a=1", token=Answer(json={field: "granted"}))
    async with ScriptedServer(script) as server, declared(server) as client:
        answer = await client.ask(f"{registry_of(server)}/acme/web:1")

    assert (answer.state, answer.credential) == (ImageState.EXISTS, None)
    assert server.lines == [
        "HEAD /v2/acme/web/manifests/1",
        "GET /token",
        "HEAD /v2/acme/web/manifests/1",
    ]
    assert "authorization" not in server.requests[1].headers
    assert server.requests[1].query == {
        "a": "1",
        "service": "registry.test",
        "scope": "repository:acme/web:pull",
    }


async def test_a_token_is_asked_for_with_the_credential() -> None:
    async with ScriptedServer(bearer(lambda: f"{server.url}/token")) as server:
        here = registry_of(server)
        async with declared(server, keyring((here, "robot"))) as client:
            answer = await client.ask(f"{here}/acme/web:1")

    sent = [request.headers.get("authorization") for request in server.requests]
    assert sent == [None, basic("robot"), "Bearer granted"]
    assert (answer.state, answer.credential) == (ImageState.EXISTS, here)


@pytest.mark.parametrize(
    ("manifest", "tags", "state"),
    [
        (NOT_FOUND, TAGS, ImageState.MISSING),
        (NOT_FOUND, NOT_FOUND, ImageState.DENIED),
        (Answer(status=401), TAGS, ImageState.DENIED),
        (Answer(status=403), TAGS, ImageState.DENIED),
        (Answer(status=500), TAGS, ImageState.UNREACHABLE),
    ],
)
async def test_a_token_that_anybody_gets_makes_not_found_count_where_the_repository_is_seen(
    manifest: Answer, tags: Answer, state: ImageState
) -> None:
    script = bearer(lambda: f"{server.url}/token", manifest=manifest, tags=tags)
    async with ScriptedServer(script) as server, declared(server) as client:
        answer = await client.ask(f"{registry_of(server)}/acme/web:1")

    assert answer.state is state


@pytest.mark.parametrize(
    ("step", "state", "words"),
    [
        (Answer(status=401), ImageState.DENIED, "401 from the token service"),
        (Answer(status=403, json={"token": "granted"}), ImageState.DENIED, "403 from the token"),
        (Answer(status=404), ImageState.UNREACHABLE, "the token service answered 404"),
        (Answer(status=500), ImageState.UNREACHABLE, "the token service answered 500"),
        (Answer(json={}), ImageState.UNREACHABLE, "answered without a token"),
        (Answer(json=["granted"]), ImageState.UNREACHABLE, "answered without a token"),
        (Answer(json={"token": 1}), ImageState.UNREACHABLE, "answered without a token"),
        (Answer(json={"token": "a\r\nX: y"}), ImageState.UNREACHABLE, "answered without a token"),
        (Answer(json={"token": "a b"}), ImageState.UNREACHABLE, "answered without a token"),
        (Answer(body=b"[" * 100_000), ImageState.UNREACHABLE, "answered without a token"),
        (
            Answer(body=b"<html>hunter2</html>", headers={"Content-Type": "text/html"}),
            ImageState.UNREACHABLE,
            "answered without a token",
        ),
        (Stream(chunks=[b'{"tok'], then="close"), ImageState.UNREACHABLE, "broke off"),
    ],
)
async def test_a_token_service_that_gives_no_token_proves_nothing(
    step: Step, state: ImageState, words: str
) -> None:
    script = bearer(lambda: f"{server.url}/token", token=step)
    async with ScriptedServer(script) as server, declared(server) as client:
        answer = await client.ask(f"{registry_of(server)}/acme/web:1")

    assert answer.state is state
    assert words in answer.detail
    assert "hunter2" not in answer.detail
    assert len(server.requests) == 2
