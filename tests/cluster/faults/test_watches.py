"""Watches of the real API server that end, break, fall silent, expire or say strange things."""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
import ssl
import subprocess
import sys
import time
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any

import pytest

from backout.core.kinds.deployment import DEPLOYMENT
from backout.core.kinds.target import Target
from backout.core.kubernetes import objects
from backout.kube.client import Client
from backout.kube.connection import Connection, Credentials, Trust
from backout.steps.watching.follow import Newest, newest_states
from sandbox.machine import addresses
from tests.cluster.command import BECAUSE
from tests.cluster.faults.scene import LONGEST, Ended, Scene
from tests.cluster.faults.stream_proxy import (
    STRANGE,
    Fault,
    From,
    Refused,
    StreamProxy,
    bookmarks,
    closed_after,
    cut_after,
    gone,
    silent,
    strange,
    whole,
)
from tests.cluster.manifests import SHOP

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable, Iterator

    from tests.cluster.space import Space

EVERY_CASE = pytest.mark.every_case
Picture = dict[str, set[tuple[str, str]]]
RESOURCES = ("deployments", "replicasets", "pods", "events")
MOST = 3
"""Requests a resource may have beyond one a second: the first list and watch, and a retry."""
LATE = 2.0
ENOUGH = 30.0
"""Seconds in which each fault that lets anything through must have let the end through."""
FOR_EVER = 10_000

SEEING: dict[str, Fault] = {
    "closed at once": closed_after(0),
    "closed after a line": closed_after(1),
    "cut in the second line": cut_after(1),
    "410 as status": Refused(),
    "410 as event": gone,
    "the server's own 410": From("1"),
    "unknown types": strange,
}
ONE_OF_THEM = "410 as event"
BLIND: dict[str, Fault] = {
    "silent": silent,
    "bookmarks only": bookmarks(FOR_EVER),
    "cut in the first line": cut_after(0),
}
PASSING: dict[str, Fault] = {**BLIND, "bookmarks only": bookmarks(5)}
MAY_LIST_AGAIN = "cut in the first line"
"""Whoever lists again after such a watch sees the end all the same."""


def one_of(names: Iterable[str], live: str) -> list[Any]:
    """Return them as parameters, all but one for `make test-all`: tests/contract/kube has each."""
    return [pytest.param(n, marks=() if n == live else EVERY_CASE) for n in names]


@pytest.fixture
def proxy(space: Space) -> Iterator[StreamProxy]:
    with StreamProxy.to(space.cluster) as made:
        yield made


@pytest.fixture
def stage(space: Space, proxy: StreamProxy) -> Scene:
    """Version 1 must start anew when it is undone to: its end is seen by watching only."""
    made = Scene(space, proxy)
    space.roll(space.version("v2"), up=True)
    return made


def undo(stage: Scene, time_out: float) -> tuple[Ended, float]:
    """Run the command; return how it ended and how many seconds after its first request."""
    asked: list[float] = []
    before = stage.proxy.before

    def hook(number: int, line: str) -> Any:
        asked.append(time.monotonic())
        return before(number, line)

    stage.proxy.before = hook
    done = subprocess.run(
        [
            *(sys.executable, "-m", "backout", "undo", f"deploy/{SHOP}", "--yes", *BECAUSE),
            *("--timeout", f"{time_out:g}s"),
        ],
        env=stage._environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LONGEST + LATE,
        check=False,
    )
    took = time.monotonic() - asked[0]
    ended = Ended(done.returncode, done.stdout, done.stderr, "")
    assert "Traceback" not in done.stdout + done.stderr, str(ended)
    return ended, took


def check_pace(proxy: StreamProxy, *, lists_too: bool = False) -> None:
    """Check that nothing was asked more often than about once a second."""
    assert {w.resource for w in proxy.watches} >= {"deployments", "replicasets", "pods"}
    lasted = time.monotonic() - min(w.at for w in proxy.watches)
    for resource in RESOURCES:
        watched = sum(w.resource == resource for w in proxy.watches)
        count = proxy.asked(resource) if lists_too else watched
        assert count <= lasted + MOST, f"{count} requests for {resource} in {lasted:.1f} s"
    assert all(w.version not in {"", "0", str(STRANGE)} for w in proxy.watches)


def etcd(space: Space, call: str, **content: str) -> dict[str, Any]:
    """Ask the sandbox's etcd by its JSON gateway."""
    made = space.cluster.state / "certificates"
    tls = ssl.create_default_context(cafile=made / "ca.crt")
    tls.load_cert_chain(made / "component.crt", made / "component.key")
    port = addresses.ETCD_PORT
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=tls, timeout=10)
    try:
        connection.request("POST", f"/v3/kv/{call}", json.dumps(content))
        found: dict[str, Any] = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    return found


def compacting(space: Space) -> Callable[[int, str], None]:
    """Let etcd forget the past whenever the Events are watched.

    The API server has no watch cache for them, so it asks etcd itself.
    """
    key = base64.b64encode(b"/backout-tests/compaction").decode()

    def compact(_: int, line: str) -> None:
        if line.startswith("WATCH") and line.endswith("/events"):
            etcd(space, "put", key=key)
            put = etcd(space, "put", key=key)
            etcd(space, "compaction", revision=put["header"]["revision"])

    return compact


@pytest.mark.parametrize("name", one_of(SEEING, ONE_OF_THEM))
def test_an_undo_gets_to_its_end_whatever_ends_its_watches(
    stage: Scene, proxy: StreamProxy, name: str
) -> None:
    fault = SEEING[name]
    proxy.spoil(fault)
    ended, _ = undo(stage, ENOUGH)

    assert ended.code == 0, str(ended)
    assert "rolled back to revision 3" in ended.last, str(ended)
    assert stage.is_undone
    assert stage.states == ["SUCCEEDED"]
    check_pace(proxy)
    assert not isinstance(fault, From) or proxy.gone["deployments"]


@pytest.mark.parametrize("name", one_of(BLIND, "silent"))
def test_an_undo_that_sees_nothing_says_so_when_time_is_up(
    stage: Scene, proxy: StreamProxy, name: str
) -> None:
    proxy.spoil(BLIND[name])
    ended, took = undo(stage, 8)

    assert ended.code == 5 or (ended.code == 0 and name == MAY_LIST_AGAIN), str(ended)
    assert took <= 8 + LATE, str(ended)
    assert stage.is_undone
    check_pace(proxy)


def test_an_undo_gets_to_its_end_while_etcd_is_compacted(
    space: Space, stage: Scene, proxy: StreamProxy
) -> None:
    proxy.spoil(whole)
    proxy.before = compacting(space)
    ended, _ = undo(stage, ENOUGH)

    assert ended.code == 0, str(ended)
    assert stage.is_undone
    assert proxy.gone["events"] > 0
    check_pace(proxy)


class Followed:
    """What `newest_states` says, recorded as it comes."""

    def __init__(self, states: AsyncGenerator[Newest, None]) -> None:
        self._states = states
        self.versions: list[int] = []
        self.last = Newest(kind=DEPLOYMENT)
        self.was_interrupted = False
        self.is_complete = asyncio.Event()

    async def run(self) -> None:
        async with aclosing(self._states) as states:
            async for state in states:
                self.last = state
                self.was_interrupted |= bool(state.interrupted)
                if state.workload is not None:
                    self.versions.append(int(objects.resource_version(state.workload)))
                if state.is_complete:
                    self.is_complete.set()

    def picture(self) -> Picture:
        workload = [self.last.workload] if self.last.workload else []
        return {
            "deployments": {_mark(o) for o in workload},
            "replicasets": {_mark(o) for o in self.last.stored.values()},
            "pods": {_mark(o) for o in self.last.pods.values()},
        }


def _mark(found: Any) -> tuple[str, str]:
    return objects.uid(found), objects.resource_version(found)


def truth(space: Space) -> Picture:
    return {
        "deployments": {_mark(space.get())},
        "replicasets": {_mark(o) for o in space.every("ReplicaSet", f"app={SHOP}")},
        "pods": {_mark(o) for o in space.every("Pod", f"app={SHOP}")},
    }


async def followed(space: Space, proxy: StreamProxy) -> Followed:
    """Follow while a new version is rolled out, until what is said is what is there."""
    connection = Connection(
        server=proxy.url,
        context="faults",
        cluster="faults",
        user="",
        namespace=space.name,
        trust=Trust(),
        credentials=Credentials(),
    )
    target = Target(kind=DEPLOYMENT, namespace=space.name, name=SHOP)
    async with Client(connection, watch_silence=2) as client:
        follower = Followed(newest_states(client, target, f"app={SHOP}"))
        task = asyncio.create_task(follower.run())
        try:
            async with asyncio.timeout(ENOUGH):
                await follower.is_complete.wait()
                await asyncio.to_thread(space.roll, space.version("v2"), up=True)
                while follower.picture() != await asyncio.to_thread(truth, space):
                    assert not task.done(), task.exception()
                    await asyncio.sleep(0.1)
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
    return follower


def check_followed(follower: Followed, proxy: StreamProxy) -> None:
    assert follower.versions == sorted(follower.versions), "an older object came after a newer one"
    assert follower.last.missing == {}
    check_pace(proxy, lists_too=True)


@pytest.mark.parametrize("name", one_of(SEEING, "cut in the second line"))
async def test_the_state_is_that_of_the_newest_objects_whatever_ends_the_watches(
    space: Space, proxy: StreamProxy, name: str
) -> None:
    space.deploy(space.version("v1"))
    proxy.spoil(SEEING[name])

    check_followed(await followed(space, proxy), proxy)


@pytest.mark.parametrize("name", one_of(PASSING, "silent"))
async def test_the_state_is_that_of_the_newest_objects_once_a_watch_tells_again(
    space: Space, proxy: StreamProxy, name: str
) -> None:
    space.deploy(space.version("v1"))
    proxy.spoil(PASSING[name], times=2)
    follower = await followed(space, proxy)

    check_followed(follower, proxy)
    assert follower.was_interrupted == (name != "bookmarks only")


async def test_the_state_is_that_of_the_newest_objects_after_a_compaction_of_etcd(
    space: Space, proxy: StreamProxy
) -> None:
    space.deploy(space.version("v1"))
    proxy.spoil(whole)
    proxy.before = compacting(space)
    follower = await followed(space, proxy)

    check_followed(follower, proxy)
    assert proxy.gone["events"] > 0
    assert "events" in follower.last.listed
