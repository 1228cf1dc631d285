"""Servers that answer in time and nothing of use, too much, or too slowly: exit 1, in words."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from itertools import chain, cycle, repeat
from typing import TYPE_CHECKING, Any, Literal, cast

import pytest

from tests.contract.api_server import ApiServer, failure
from tests.contract.cli.command import COMMAND, WITHIN, Command, Finished
from tests.contract.scripted_server import Answer, Raw, Received, Step, Stream
from tests.contract.steps.shop import shop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

pytestmark = pytest.mark.slow
TIME_OUT = 2.0
LATE = 2.0
MOST_MEMORY = 150 * 1024 * 1024
MIB = b"x" * 1024 * 1024
LAUNCHER = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[2:]).returncode
with open(sys.argv[1], "w") as peak:
    peak.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(code)
"""
"""Between the test and the command: a child's peak starts with its parent's, and ours is large."""
JSON = {"Content-Type": "application/json"}
HTML = {"Content-Type": "text/html"}
PAGE = b"<html>s3cr3t</html>"
BUSY = failure(429, "TooManyRequests", "too many requests", Retry_After="1")
AN_HOUR = failure(429, "TooManyRequests", "too many requests", Retry_After="3600")
SINCE = (1, 4)
"""From which request on the server is hostile: at once, or when the first answers were good."""


class Tick(asyncio.Event):
    """A pause of the server's between two chunks."""

    async def wait(self) -> Literal[True]:
        await asyncio.sleep(0.1)
        return True


def body(chunks: Iterable[bytes | asyncio.Event], status: int = 200) -> Stream:
    """Return an answer whose chunks are made as they are sent: it may be endless."""
    return Stream(chunks=cast("Any", chunks), status=status, headers=JSON)


ANSWERS: dict[str, Step] = {
    "429 for ever": BUSY,
    "429 for an hour": AN_HOUR,
    "429 of a proxy": Answer(status=429, body=PAGE, headers={**HTML, "Retry-After": "1"}),
    "500 with a Status": failure(500, "InternalError", "etcdserver: leader changed"),
    "500 HTML": Answer(status=500, body=PAGE, headers=HTML),
    "502 HTML": Answer(status=502, body=PAGE, headers=HTML),
    "503 HTML": Answer(status=503, body=PAGE, headers={**HTML, "Retry-After": "1"}),
    "not JSON": Answer(body=b"s3cr3t", headers=JSON),
    "not UTF-8": Answer(body=b'{"kind": "\xff\xfe s3cr3t"}', headers=JSON),
    "deep JSON": Answer(body=b"[" * 100_000, headers=JSON),
    "missing bytes": Raw(
        bytes=b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        b'Content-Length: 999\r\n\r\n{"kind": "Deployment"}'
    ),
    "chunks cut off": Stream(chunks=[b'{"kind": "Depl'], then="close", headers=JSON),
    "a body that stops": Stream(chunks=[b'{"kind": "Depl'], then="hang", headers=JSON),
    "an endless header": Raw(bytes=b"HTTP/1.1 200 OK\r\nX: " + MIB),
}
SLOW = {
    "a drip": lambda: body(cycle([b" ", Tick()])),
    "a drip of an error": lambda: body(cycle([b" ", Tick()]), 500),
}
WITH_LENGTH = (
    f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {50 * len(MIB)}\r\n\r\n"
).encode() + MIB * 6
BIG = {
    "50 MB of JSON": lambda: body(chain([b'{"x": "'], repeat(MIB, 50), [b'"}'])),
    "50 MB by its length": lambda: Raw(bytes=WITH_LENGTH),
    "50 MB of an error": lambda: body(repeat(MIB, 50), 500),
    "an endless body": lambda: body(repeat(MIB)),
    "an endless error": lambda: body(repeat(MIB), 503),
}


@asynccontextmanager
async def serving(
    backout: Command, step: Callable[[Received], Step | None]
) -> AsyncIterator[Clocked]:
    """Serve a good shop, with what `step` makes of a request in its place."""
    async with Clocked() as api:
        shop(api)
        api.before = api.clocked(step)
        backout.point_to(api.url)
        yield api


@asynccontextmanager
async def hostile(backout: Command, since: int, step: Any) -> AsyncIterator[Clocked]:
    """Serve a good shop until request `since`, and from there on only what `step` makes."""
    async with serving(backout, lambda _: step() if len(api.requests) >= since else None) as api:
        yield api


class Clocked(ApiServer):
    """Knows when it was first asked: how long an interpreter takes to start is no promise."""

    asked_at = 0.0

    def clocked(self, step: Callable[[Received], Step | None]) -> Callable[[Received], Step | None]:
        def before(request: Received) -> Step | None:
            self.asked_at = self.asked_at or time.monotonic()
            return step(request)

        return before


async def measured(backout: Command, api: Clocked, *flags: str) -> tuple[Finished, float, int]:
    """Run the command; return how it ended, how many seconds after its first request, its peak."""
    peak = backout.home / "peak"
    process = await asyncio.create_subprocess_exec(
        *(
            sys.executable,
            "-I",
            "-c",
            LAUNCHER,
            str(peak),
            *COMMAND,
            "undo",
            "deploy/web",
            "--yes",
            "--soak",
            "1s",
            *flags,
        ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=backout.surroundings(),
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(WITHIN):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    took = time.monotonic() - api.asked_at
    assert process.returncode is not None
    done = Finished(process.returncode, out.decode(), err.decode())
    return done, took, int(peak.read_text()) * 1024


def check_told(done: Finished, took: float, api: ApiServer, *, waits: int = 1) -> None:
    """Check for one clear sentence and a remedy, in time, and that nothing was changed.

    `waits` is how many requests may have run into their time-out one after the other.
    """
    errors = [line for line in done.lines if line.startswith("ERROR: ")]
    assert done.code == 1, done.err
    assert len(errors) == 1, done.err
    assert done.lines[-2] == errors[0], done.err
    assert done.lines[-1].startswith("  "), done.err
    assert len(errors[0]) < 400, done.err
    assert "Traceback" not in done.out + done.err
    assert "internal error" not in done.out + done.err
    assert "s3cr3t" not in done.out + done.err
    assert took <= waits * TIME_OUT + LATE, f"{took:.1f} s: {done.err}"
    assert "PATCH deployments" not in api.lines


@pytest.mark.parametrize("since", [pytest.param(SINCE[0], marks=pytest.mark.every_case), SINCE[1]])
@pytest.mark.parametrize("name", ANSWERS)
async def test_an_answer_that_cannot_be_used_ends_in_words_in_time(
    backout: Command, name: str, since: int
) -> None:
    async with hostile(backout, since, lambda: ANSWERS[name]) as api:
        done, took, _ = await measured(backout, api, "--request-timeout", f"{TIME_OUT:g}s")

    check_told(done, took, api, waits=SINCE.index(since) + 1)


@pytest.mark.parametrize("flag", ["--request-timeout", "--timeout"])
@pytest.mark.parametrize("name", SLOW)
async def test_an_answer_that_drips_ends_by_either_time_out(
    backout: Command, name: str, flag: str
) -> None:
    async with hostile(backout, 1, SLOW[name]) as api:
        done, took, _ = await measured(backout, api, flag, f"{TIME_OUT:g}s")

    check_told(done, took, api)


@pytest.mark.parametrize("name", ["429 for ever", "429 for an hour", "a body that stops"])
async def test_the_time_out_of_the_whole_ends_what_the_requests_would_wait_for(
    backout: Command, name: str
) -> None:
    async with hostile(backout, 1, lambda: ANSWERS[name]) as api:
        done, took, _ = await measured(backout, api, "--timeout", f"{TIME_OUT:g}s")

    check_told(done, took, api)


@pytest.mark.parametrize("since", [pytest.param(SINCE[0], marks=pytest.mark.every_case), SINCE[1]])
@pytest.mark.parametrize("name", BIG)
async def test_an_answer_without_measure_is_not_kept(
    backout: Command, name: str, since: int
) -> None:
    async with hostile(backout, since, BIG[name]) as api:
        done, took, memory = await measured(backout, api, "--request-timeout", f"{TIME_OUT:g}s")

    check_told(done, took, api, waits=SINCE.index(since) + 1)
    assert memory < MOST_MEMORY, f"{memory / 1024 / 1024:.0f} MiB"


async def test_a_server_that_is_busy_once_for_each_read_is_waited_for(
    backout: Command,
) -> None:
    asked: set[str] = set()

    def busy_once(request: Received) -> Step | None:
        is_new = request.method == "GET" and request.target not in asked
        asked.add(request.target)
        return BUSY if is_new else None

    async with serving(backout, busy_once) as api:
        done, took, _ = await measured(backout, api, "--dry-run")

    assert done.code == 0, done.err
    assert took >= 1, "Retry-After was not honoured"
    assert not [line for line in done.lines if line.startswith("ERROR")]
