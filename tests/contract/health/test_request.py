"""A URL of the user's, and servers that answer as badly as they can."""

from __future__ import annotations

import asyncio

import trustme

from backout.core.health.expectation import BODY_CAP, Expected, json_field, statuses
from backout.core.health.judgement import Answer as Word
from backout.core.health.judgement import Sample
from backout.health.request import UrlAsked
from backout.http.client import HttpClient
from tests.contract.scripted_server import (
    Answer,
    Hang,
    Raw,
    ScriptedServer,
    Stream,
    client_tls,
    server_tls,
)

TOKEN = "s3cr3t-t0ken"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


async def asked(
    url: str, expected: Expected | None = None, *, within: float = 5.0, method: str = "GET"
) -> Sample:
    async with HttpClient() as session:
        return await UrlAsked(
            session=session,
            url=url,
            expected=expected or Expected(),
            timeout=within,
            method=method,
            headers=HEADERS,
        ).ask()


async def test_headers_and_method_reach_the_url() -> None:
    async with ScriptedServer([Answer()]) as server:
        sample = await asked(f"{server.url}/up", method="POST")

    assert sample.answer is Word.WELL
    assert server.lines == ["POST /up"]
    assert server.requests[0].headers["authorization"] == f"Bearer {TOKEN}"


async def test_a_redirect_to_another_host_is_not_followed_and_takes_no_header_along() -> None:
    async with ScriptedServer([Answer()]) as other:
        away = Answer(status=302, headers={"Location": f"{other.url}/steal"})
        async with ScriptedServer([away]) as server:
            sample = await asked(f"{server.url}/up")

    assert sample.answer is Word.UNKNOWN
    assert "redirects are not followed" in sample.detail
    assert (other.requests, other.connections) == ([], 0)


async def test_an_expected_redirect_is_well_and_not_followed_either() -> None:
    async with ScriptedServer([Answer(status=302, headers={"Location": "/b"})]) as server:
        sample = await asked(f"{server.url}/a", Expected(statuses=statuses("302")))

    assert sample.answer is Word.WELL
    assert server.lines == ["GET /a"]


async def test_bytes_that_drip_are_unknown_when_the_time_is_up() -> None:
    drip = Stream(chunks=[b"o", asyncio.Event()])
    async with ScriptedServer([drip]) as server:
        sample = await asked(f"{server.url}/up", within=0.3)

    assert sample.answer is Word.UNKNOWN


async def test_of_fifty_megabytes_64_kib_are_read() -> None:
    sent = 0

    async def flood(_: object) -> Stream:
        nonlocal sent
        sent += 1
        return Stream(chunks=[b"x" * BODY_CAP] * 800, then="hang")

    async with ScriptedServer(flood) as server:
        sample = await asked(f"{server.url}/up", Expected(text="never"))

    assert sent == 1
    assert sample.answer is Word.UNKNOWN
    assert len(str(sample)) < 400


async def test_a_text_and_a_field_are_looked_for_in_the_body() -> None:
    expected = Expected(text="ok", fields=(json_field("status=ok"),))
    answers = [Answer(json={"status": "ok"}), Answer(json={"status": "not ok"})]
    async with ScriptedServer(answers) as server:
        good = await asked(server.url, expected)
        bad = await asked(server.url, expected)

    assert (good.answer, bad.answer) == (Word.WELL, Word.UNWELL)
    assert bad.detail == "HTTP 200, but its field status is not as expected"


async def test_no_answer_at_all_is_unknown_and_names_no_secret() -> None:
    async with ScriptedServer([Hang(), Raw(bytes=b"not http\r\n\r\n")]) as server:
        url = f"{server.url}/up?token={TOKEN}"
        late = await asked(url, within=0.3)
        broken = await asked(url)

    assert (late.answer, broken.answer) == (Word.UNKNOWN, Word.UNKNOWN)
    assert TOKEN not in f"{late.detail}{broken.detail}"


async def test_what_is_asked_does_not_show_its_secrets_in_a_traceback() -> None:
    async with HttpClient() as session:
        url = UrlAsked(
            session=session,
            url=f"http://x.example/?token={TOKEN}",
            expected=Expected(),
            timeout=1.0,
            headers=HEADERS,
        )
    assert TOKEN not in repr(url)


async def test_a_server_of_an_own_ca_is_asked_with_that_ca_only() -> None:
    ca = trustme.CA()
    async with ScriptedServer([Answer()] * 2, tls=server_tls(ca)) as server:
        strange = await asked(server.url)
        async with HttpClient(tls=client_tls(ca)) as session:
            known = await UrlAsked(
                session=session, url=server.url, expected=Expected(), timeout=5.0
            ).ask()

    assert (strange.answer, known.answer) == (Word.UNKNOWN, Word.WELL)
