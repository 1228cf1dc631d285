from __future__ import annotations

import asyncio

import pytest

from backout.http.client import HttpClient
from backout.http.errors import Unanswered
from tests.contract.scripted_server import WITHIN, Answer, Hang, ScriptedServer, Stream


async def lines_of(
    step: Stream, *, silence: float = WITHIN, line_cap: int = 1000_000
) -> list[bytes]:
    seen: list[bytes] = []
    async with (
        ScriptedServer([step]) as server,
        HttpClient() as session,
        session.stream(
            "GET", server.url, timeout=WITHIN, silence=silence, line_cap=line_cap
        ) as stream,
    ):
        async for line in stream.lines():
            seen.append(line)  # noqa: PERF401 (what came before a failure is kept)
    return seen


async def test_lines_come_whole_however_they_were_cut() -> None:
    assert await lines_of(Stream(chunks=[b"on", b"e\ntwo\n", b"\nthr", b"ee\n"])) == [
        b"one",
        b"two",
        b"",
        b"three",
    ]


async def test_a_last_line_without_its_end_is_given_too() -> None:
    assert await lines_of(Stream(chunks=[b"one\ntw"])) == [b"one", b"tw"]


async def test_a_line_is_given_before_the_next_one_comes() -> None:
    more = asyncio.Event()
    step = Stream(chunks=[b"one\n", more, b"two\n"])
    async with (
        ScriptedServer([step]) as server,
        HttpClient() as session,
        session.stream("GET", server.url, timeout=WITHIN, silence=WITHIN) as stream,
    ):
        lines = stream.lines()
        first = await anext(lines)
        more.set()
        second = await anext(lines)

    assert (first, second) == (b"one", b"two")


async def test_silence_ends_a_stream() -> None:
    with pytest.raises(Unanswered, match=r"nothing heard from .* for 0\.1 s"):
        await lines_of(Stream(chunks=[b"one\n"], then="hang"), silence=0.1)


@pytest.mark.parametrize("then", ["close", "reset"])
async def test_a_cut_connection_ends_a_stream_in_an_error(then: str) -> None:
    step = Stream(chunks=[b"one\n"], then="close" if then == "close" else "reset")
    with pytest.raises(Unanswered, match="broke"):
        await lines_of(step)


@pytest.mark.parametrize("end", [b"", b"\n"])
async def test_a_line_that_is_too_long_is_refused(end: bytes) -> None:
    step = Stream(chunks=[b"x" * 600, b"x" * 600 + end], then="hang")
    with pytest.raises(Unanswered, match="line of over 1000 bytes"):
        await lines_of(step, line_cap=1000)


async def test_the_time_out_covers_the_head_of_a_stream() -> None:
    async with ScriptedServer([Hang()]) as server, HttpClient() as session:
        with pytest.raises(Unanswered, match="no answer"):
            async with session.stream("GET", server.url, timeout=0.1, silence=WITHIN):
                pass


async def test_the_body_of_an_error_is_bounded() -> None:
    step = Answer(status=410, body=b"x" * 5000)
    async with (
        ScriptedServer([step]) as server,
        HttpClient() as session,
        session.stream("GET", server.url, timeout=WITHIN, silence=WITHIN) as stream,
    ):
        body = await stream.body(cap=100)

    assert (stream.status, body) == (410, b"x" * 100)


async def test_what_fails_in_the_consumer_is_not_touched() -> None:
    step = Stream(chunks=[b"one\n"], then="hang")
    async with ScriptedServer([step]) as server, HttpClient() as session:
        with pytest.raises(ValueError, match="mine"):  # noqa: PT012 (the body is the subject)
            async with session.stream("GET", server.url, timeout=WITHIN, silence=WITHIN) as stream:
                async for _ in stream.lines():
                    raise ValueError("mine")
