"""The ledger in a file: the same compare-and-swap, on this machine only."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import resource
import stat
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from backout.core.errors import ConfigError, Conflict, NotFound, Unreachable
from backout.core.preflight.request import Request
from backout.steps.ledger import local_ledger
from backout.steps.ledger.local_ledger import LocalLedger
from backout.steps.undo import undo
from tests.contract.steps.shop import GOOD, TARGET, Told, count, deploy, image, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.contract.api_server import ApiServer

SERVER = "https://cluster.example"
LOCAL = Request(successes=1, ledger_is_local=True)


@pytest.fixture
def ledger(tmp_path: Path) -> LocalLedger:
    return LocalLedger(tmp_path, SERVER, TARGET)


def body(word: str) -> dict[str, Any]:
    return {"metadata": {"name": "x", "annotations": {"word": word}}, "spec": {}}


def word(lease: Any) -> str:
    return str(lease["metadata"]["annotations"]["word"])


async def undone_locally(api: ApiServer, ledger: LocalLedger, **settings: Any) -> Told:
    told = Told()
    async with running(api, told, **{"policy": LOCAL, **settings}) as run, asyncio.timeout(30):
        told.outcome = await undo(replace(run, ledger=ledger))
    return told


async def test_a_write_replaces_what_it_was_made_for_and_nothing_else(ledger: LocalLedger) -> None:
    assert await ledger.read() is None
    await ledger.write(None, body("one"))
    first = await ledger.read()
    await ledger.write(first, body("two"))

    assert word(await ledger.read()) == "two"
    with pytest.raises(Conflict):
        await ledger.write(first, body("three"))
    with pytest.raises(Conflict):
        await ledger.write(None, body("three"))
    assert word(await ledger.read()) == "two"


async def test_what_was_deleted_is_not_made_again(ledger: LocalLedger) -> None:
    await ledger.write(None, body("one"))
    seen = await ledger.read()
    ledger.path.unlink()

    with pytest.raises(NotFound):
        await ledger.write(seen, body("two"))
    assert await ledger.read() is None


async def test_one_that_was_made_anew_is_another_one(ledger: LocalLedger) -> None:
    await ledger.write(None, body("one"))
    seen = await ledger.read()
    ledger.path.unlink()
    await ledger.write(None, body("anew"))

    with pytest.raises(Conflict):
        await ledger.write(seen, body("two"))
    assert word(await ledger.read()) == "anew"


async def test_of_many_writers_at_once_exactly_one_wins(ledger: LocalLedger) -> None:
    await ledger.write(None, body("start"))
    seen = await ledger.read()
    done = await asyncio.gather(
        *(ledger.write(seen, body(str(n))) for n in range(20)), return_exceptions=True
    )

    assert sum(isinstance(one, dict) for one in done) == 1
    assert sum(isinstance(one, Conflict) for one in done) == 19


async def test_it_is_private(ledger: LocalLedger) -> None:
    await ledger.write(None, body("one"))

    assert stat.S_IMODE(ledger.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(ledger.path.parent.stat().st_mode) == 0o700


async def test_clusters_and_workloads_have_files_of_their_own(tmp_path: Path) -> None:
    other = replace(TARGET, name="api")
    paths = {
        LocalLedger(tmp_path, SERVER, TARGET).path,
        LocalLedger(tmp_path, "https://another.example", TARGET).path,
        LocalLedger(tmp_path, SERVER, other).path,
        LocalLedger(tmp_path, SERVER, replace(TARGET, namespace="staging")).path,
    }
    assert len(paths) == 4


async def test_a_write_that_the_disk_takes_in_pieces_is_whole(
    ledger: LocalLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ledger.write(None, body("one"))
    whole = os.write
    monkeypatch.setattr(os, "write", lambda file, content: whole(file, content[:7]))
    await ledger.write(await ledger.read(), body("two"))

    assert word(await ledger.read()) == "two"


@pytest.fixture
def full_disk() -> Iterator[Callable[[int], None]]:
    """Give what lets no file of this process grow beyond so many bytes: writes are cut short."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("left", [0, 50])
async def test_a_disk_that_is_full_loses_nothing_and_is_told(
    ledger: LocalLedger, full_disk: Callable[[int], None], left: int
) -> None:
    await ledger.write(None, body("one"))
    seen = await ledger.read()
    full_disk(left)
    with pytest.raises(ConfigError, match="cannot be used"):
        await ledger.write(seen, body("two"))

    assert await ledger.read() == seen
    full_disk(2**20)
    await ledger.write(seen, body("three"))
    assert word(await ledger.read()) == "three"


async def test_a_file_held_by_a_process_that_was_stopped_is_waited_for_and_not_for_ever(
    ledger: LocalLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ledger.write(None, body("one"))
    seen = await ledger.read()
    monkeypatch.setitem(vars(local_ledger), "PATIENCE", 0.2)
    descriptor = os.open(ledger.path.with_suffix(".lock"), os.O_WRONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        with pytest.raises(Unreachable, match="held by another process"):
            await ledger.write(seen, body("two"))
    finally:
        os.close(descriptor)
    await ledger.write(seen, body("two"))


@pytest.mark.parametrize("text", ["", "[]", "nonsense", '{"metadata": '])
async def test_a_file_that_is_no_ledger_is_refused_and_never_overwritten(
    api: ApiServer, ledger: LocalLedger, text: str
) -> None:
    ledger.path.parent.mkdir(parents=True)
    ledger.path.write_text(text)
    told = await undone_locally(api, ledger)

    assert told.result == "refused", told.text
    assert "PF805" in told.message
    assert ledger.path.read_text() == text


async def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "ledger").write_text("a file where a folder should be")
    ledger = LocalLedger(tmp_path, SERVER, TARGET)

    with pytest.raises(ConfigError, match="cannot be used") as told:
        await ledger.write(None, body("one"))
    assert "XDG_STATE_HOME" in told.value.remedy


async def test_a_whole_undo_without_any_right_to_leases(
    api: ApiServer, ledger: LocalLedger
) -> None:
    api.denied |= {"get leases", "create leases", "update leases"}
    told = await undone_locally(api, ledger)
    records = json.loads(
        json.loads(ledger.path.read_text())["metadata"]["annotations"]["backout.dev/ledger"]
    )["records"]

    assert told.result == "succeeded", told.text
    assert image(api) == GOOD
    assert [r["state"] for r in records] == ["SUCCEEDED"]
    assert {line for line in api.lines if "leases" in line} == set()


async def test_the_breaker_counts_in_the_file(api: ApiServer, ledger: LocalLedger) -> None:
    policy = replace(LOCAL, limit=1)
    await undone_locally(api, ledger, policy=policy)
    deploy(api, "127.0.0.1:1/app:bad2")
    told = await undone_locally(api, ledger, policy=policy)

    assert told.of("blocked") == ["rollback rate limit exceeded — manual intervention required"]
    assert count(api, "PATCH deployments") == 1
