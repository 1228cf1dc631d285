from __future__ import annotations

import asyncio
import itertools
import json
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import pytest

from backout.core.errors import ApiError, Forbidden, NotFound, Unauthorized
from backout.kube.client import Client
from backout.kube.watch import RELIST, Change, Interrupted, Removed, Synced, Upserted, follow
from tests.contract.kube.fixtures import StandingClock, connection_to, pod, refusal, status
from tests.contract.scripted_server import (
    WITHIN,
    Answer,
    Close,
    Hang,
    Received,
    ScriptedServer,
    Step,
    Stream,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


def line(kind: str, obj: dict[str, Any]) -> bytes:
    return json.dumps({"type": kind, "object": obj}).encode() + b"\n"


def bookmark(version: str) -> bytes:
    return line("BOOKMARK", {"kind": "Pod", "metadata": {"resourceVersion": version}})


def listing(*items: dict[str, Any], version: str = "10") -> Answer:
    return Answer(
        json={
            "kind": "PodList",
            "apiVersion": "v1",
            "metadata": {"resourceVersion": version},
            "items": list(items),
        }
    )


EXPIRED = line("ERROR", status(410, "Expired", "too old resource version: 1 (2)"))


async def changes_of(
    script: Sequence[Step],
    count: int,
    *,
    clock: StandingClock | None = None,
    silence: float = WITHIN,
    labels: str = "",
    fields: str = "",
) -> tuple[list[Change], ScriptedServer]:
    """Return the first `count` changes; the script ends in a watch that is quiet."""
    clock = clock or StandingClock()
    seen: list[Change] = []
    async with ScriptedServer([*script, Stream(then="hang"), Stream(then="hang")]) as server:
        client = Client(connection_to(server), watch_silence=silence, clock=clock)
        async with (
            client,
            asyncio.timeout(WITHIN),
            aclosing(
                follow(client, "/pods", label_selector=labels, field_selector=fields, clock=clock)
            ) as changes,
        ):
            async for change in changes:
                seen.append(change)
                if len(seen) == count:
                    break
        return seen, server


def watched_from(server: ScriptedServer) -> list[str]:
    """The resourceVersion of each watch, `list` for a list: the story of a follow."""
    return [
        request.query["resourceVersion"] if "watch" in request.query else "list"
        for request in server.requests
    ]


async def test_of_a_list_and_of_what_changes_only_what_is_kept_stays() -> None:
    added = Stream(chunks=[line("ADDED", pod("b", "11"))], then="hang")

    def keep(one: dict[str, Any]) -> dict[str, Any]:
        return {"name": one["metadata"]["name"]}

    async with (
        ScriptedServer([listing(pod("a", "1")), added]) as server,
        Client(connection_to(server)) as client,
        asyncio.timeout(WITHIN),
        aclosing(follow(client, "/pods", keep=keep)) as changes,
    ):
        seen = [await anext(changes), await anext(changes)]

    assert seen == [Synced(items=({"name": "a"},)), Upserted(object={"name": "b"})]


async def test_the_list_comes_first_then_what_changes() -> None:
    stream = Stream(
        chunks=[
            line("ADDED", pod("b", "11")),
            line("MODIFIED", pod("a", "12")),
            line("DELETED", pod("b", "13")),
        ],
        then="hang",
    )
    seen, server = await changes_of(
        [listing(pod("a", "9")), stream], 4, labels="app=web", fields="x=y"
    )

    assert seen == [
        Synced(items=(pod("a", "9"),)),
        Upserted(object=pod("b", "11")),
        Upserted(object=pod("a", "12")),
        Removed(object=pod("b", "13")),
    ]
    query = server.requests[1].query
    assert 240 <= int(query.pop("timeoutSeconds")) <= 300
    assert query == {
        "labelSelector": "app=web",
        "fieldSelector": "x=y",
        "watch": "true",
        "resourceVersion": "10",
        "allowWatchBookmarks": "true",
    }


async def test_after_a_proper_end_the_watch_goes_on_from_the_last_event() -> None:
    seen, server = await changes_of(
        [
            listing(),
            Stream(chunks=[line("ADDED", pod("a", "11"))]),
            Stream(chunks=[line("MODIFIED", pod("a", "12"))]),
            Stream(chunks=[line("MODIFIED", pod("a", "13"))]),
        ],
        4,
    )

    assert [type(change) for change in seen] == [Synced, Upserted, Upserted, Upserted]
    assert watched_from(server) == ["list", "10", "11", "12"]


async def test_after_a_long_watch_it_is_listed_anew_for_what_was_swallowed_on_the_way() -> None:
    clock, steps = StandingClock(), [listing(), listing(pod("lost", "11"), version="12")]

    def answer(request: Received) -> Step:
        if "watch" not in request.query:
            return steps.pop(0)
        clock.now += RELIST
        return Stream(chunks=[bookmark("12")])

    async with ScriptedServer(answer) as server:
        client = Client(connection_to(server), watch_silence=WITHIN, clock=clock)
        async with (
            client,
            asyncio.timeout(WITHIN),
            aclosing(follow(client, "/pods", clock=clock)) as changes,
        ):
            assert await anext(changes) == Synced(items=())
            assert await anext(changes) == Synced(items=(pod("lost", "11"),))
        assert watched_from(server) == ["list", "10", "list"]


async def test_a_bookmark_moves_the_place_and_is_not_a_change() -> None:
    seen, server = await changes_of(
        [
            listing(),
            Stream(chunks=[bookmark("40"), bookmark("50")]),
            Stream(chunks=[line("ADDED", pod("a", "51"))]),
        ],
        2,
    )

    assert seen[1] == Upserted(object=pod("a", "51"))
    assert watched_from(server) == ["list", "10", "50"]


async def test_unknown_event_types_are_ignored_and_move_nothing() -> None:
    _, server = await changes_of(
        [
            listing(),
            Stream(chunks=[line("SURPRISE", pod("a", "99"))]),
            Stream(chunks=[line("ADDED", pod("a", "11"))]),
        ],
        2,
    )

    assert watched_from(server) == ["list", "10", "10"]


@pytest.mark.parametrize(
    "expired", [Stream(chunks=[EXPIRED]), refusal(410, "Expired", "too old resource version")]
)
async def test_410_as_status_and_as_event_lists_again(expired: Step) -> None:
    seen, server = await changes_of([listing(), expired, listing(version="20")], 2)

    assert [type(change) for change in seen] == [Synced, Synced]
    assert watched_from(server)[:3] == ["list", "10", "list"]


async def test_after_410_the_watch_starts_from_the_new_list() -> None:
    more = Stream(chunks=[line("ADDED", pod("a", "21"))])
    _, server = await changes_of(
        [listing(), Stream(chunks=[EXPIRED]), listing(version="20"), more], 3
    )

    assert watched_from(server) == ["list", "10", "list", "20"]


@pytest.mark.parametrize(
    "cut",
    [
        Stream(chunks=[line("ADDED", pod("a", "11")), line("ADDED", pod("b", "12"))[:30]]),
        Stream(chunks=[line("ADDED", pod("a", "11")), b'{"type": "ADD'], then="close"),
        Stream(chunks=[line("ADDED", pod("a", "11"))], then="reset"),
        Stream(chunks=[line("ADDED", pod("a", "11")), b"<html>\n"]),
        Stream(chunks=[line("ADDED", pod("a", "11")), b'{"type": "ADDED", "object": 1}\n']),
        Stream(chunks=[line("ADDED", pod("a", "11")), b"[]\n"]),
    ],
)
async def test_a_watch_that_is_cut_says_so_and_lists_again(cut: Stream) -> None:
    more = Stream(chunks=[line("MODIFIED", pod("a", "13"))])
    seen, server = await changes_of([listing(), cut, listing(), more], 5)

    assert [type(change) for change in seen] == [Synced, Upserted, Interrupted, Synced, Upserted]
    assert watched_from(server) == ["list", "10", "list", "10"]


async def test_a_silent_watch_says_so_and_lists_again() -> None:
    more = Stream(chunks=[line("ADDED", pod("a", "11"))])
    seen, server = await changes_of(
        [listing(), Stream(then="hang"), listing(), more], 4, silence=0.1
    )

    assert isinstance(seen[1], Interrupted)
    assert "nothing heard" in seen[1].why
    assert watched_from(server) == ["list", "10", "list", "10"]


async def test_a_watch_that_ends_without_a_word_is_followed_by_a_list() -> None:
    more = Stream(chunks=[line("ADDED", pod("a", "11"))])
    _, server = await changes_of([listing(), Stream(), listing(), more], 3)

    assert watched_from(server) == ["list", "10", "list", "10"]


async def test_bookmarks_alone_do_not_end_a_watch() -> None:
    more = asyncio.Event()
    chunks: list[bytes | asyncio.Event] = [bookmark("11"), more, line("ADDED", pod("a", "12"))]
    server_side: list[Step] = [listing(), Stream(chunks=chunks, then="hang")]
    clock = StandingClock()
    async with (
        ScriptedServer(server_side) as server,
        Client(connection_to(server)) as client,
        asyncio.timeout(WITHIN),
        aclosing(follow(client, "/pods", clock=clock)) as changes,
    ):
        await anext(changes)
        waiting = asyncio.ensure_future(anext(changes))
        await server.received(2)
        more.set()
        change = await waiting

    assert change == Upserted(object=pod("a", "12"))
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "failure",
    [
        Close(),
        Hang(),
        refusal(429, "TooManyRequests", "busy"),
        refusal(503, "ServiceUnavailable", "away"),
        Answer(status=502, body=b"<html>", headers={"Content-Type": "text/html"}),
    ],
)
async def test_a_failure_that_may_pass_interrupts_and_the_list_is_tried_again(
    failure: Step,
) -> None:
    clock = StandingClock()
    seen: list[Change] = []
    async with ScriptedServer([failure, listing(pod("a", "1"))]) as server:
        client = Client(connection_to(server), read_timeout=0.3, clock=clock)
        async with (
            client,
            asyncio.timeout(WITHIN),
            aclosing(follow(client, "/pods", clock=clock)) as changes,
        ):
            seen = [await anext(changes), await anext(changes)]

    assert [type(change) for change in seen] == [Interrupted, Synced]
    assert len(server.requests) == 2


async def test_a_version_that_the_server_cannot_serve_is_not_asked_for_again() -> None:
    too_large = refusal(504, "Timeout", "Too large resource version: 10, current: 3")
    _, server = await changes_of([listing(), too_large, listing(version="3")], 3)

    assert watched_from(server)[:3] == ["list", "10", "list"]


async def test_a_busy_server_is_listed_after_the_pause_it_asks_for_so_that_sight_is_told() -> None:
    clock = StandingClock()
    busy = refusal(429, "TooManyRequests", "busy", Retry_After="7")
    changes, server = await changes_of([listing(), busy, listing()], 3, clock=clock)

    assert watched_from(server)[:3] == ["list", "10", "list"]
    assert [type(change) for change in changes] == [Synced, Interrupted, Synced]
    assert clock.slept == [7.0]


@pytest.mark.parametrize(
    ("code", "kind"),
    [(401, Unauthorized), (403, Forbidden), (404, NotFound), (400, ApiError), (422, ApiError)],
)
@pytest.mark.parametrize("where", ["list", "watch", "event"])
async def test_a_failure_that_does_not_pass_ends_it(
    code: int, kind: type[ApiError], where: str
) -> None:
    script: dict[str, list[Step]] = {
        "list": [refusal(code, "X", "no")],
        "watch": [listing(), refusal(code, "X", "no")],
        "event": [listing(), Stream(chunks=[line("ERROR", status(code, "X", "no"))])],
    }
    with pytest.raises(kind, match="no"):
        await changes_of(script[where], 2)


@pytest.mark.parametrize(
    "ending",
    [
        Stream(),
        Stream(chunks=[EXPIRED]),
        Stream(chunks=[line("ADDED", pod("a", "11"))]),
        Stream(chunks=[b"x"], then="close"),
        Stream(chunks=[line("ERROR", status(500, "InternalError", "no"))]),
        Close(),
        refusal(410, "Expired", "no"),
        refusal(503, "ServiceUnavailable", "no"),
    ],
)
async def test_no_loop_is_hotter_than_one_request_a_second(ending: Step) -> None:
    clock = StandingClock()
    asked: list[float] = []

    def script(request: Received) -> Step:
        asked.append(clock.now)
        return ending if "watch" in request.query else listing()

    async with ScriptedServer(script) as server:
        client = Client(connection_to(server), clock=clock)
        async with (
            client,
            asyncio.timeout(WITHIN),
            aclosing(follow(client, "/pods", clock=clock)) as changes,
        ):
            following = asyncio.ensure_future(_drained(changes))
            await server.received(30)
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    gaps = [after - before for before, after in itertools.pairwise(asked[1:30])]
    assert min(gaps) >= 0.999  # floats
    assert max(gaps) <= 11.0


async def _drained(changes: Any) -> None:
    async for _ in changes:
        pass


async def test_the_list_fails_again_and_again_at_a_growing_distance() -> None:
    clock = StandingClock()
    asked: list[float] = []

    def script(_: Received) -> Step:
        asked.append(clock.now)
        return refusal(503, "ServiceUnavailable", "no")

    async with (
        ScriptedServer(script) as server,
        Client(connection_to(server), clock=clock) as client,
        aclosing(follow(client, "/pods", clock=clock)) as changes,
    ):
        for _ in range(8):
            assert isinstance(await anext(changes), Interrupted)

    assert len(server.requests) == 8
    gaps = [after - before for before, after in itertools.pairwise(asked)]
    assert gaps[0] >= 0.999
    assert gaps == sorted(gaps[:3]) + gaps[3:]
    assert all(7.5 <= gap <= 10.0 for gap in gaps[3:])


async def test_the_first_watch_follows_its_list_at_once() -> None:
    clock = StandingClock()
    more = Stream(chunks=[line("ADDED", pod("a", "11"))], then="hang")
    await changes_of([listing(), more], 2, clock=clock)

    assert clock.slept == []
