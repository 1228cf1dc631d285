"""A Lease deleted, spoiled or at its limit; clocks that are wrong; a workload that never rests."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from tests.cluster.api import Refused
from tests.cluster.faults.history import recorded
from tests.cluster.faults.scene import scene
from tests.cluster.manifests import SHOP

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cluster.faults.history import History
    from tests.cluster.faults.scene import Scene
    from tests.cluster.space import Space
    from tests.contract.fault_proxy import Fault

EVERY_CASE = pytest.mark.every_case
LEDGER = "backout.dev/ledger"
MARKER = "backout.dev/operation"
AN_HOUR = 3600


@pytest.fixture
def history(space: Space) -> Iterator[History]:
    with recorded(space) as made:
        yield made


@pytest.fixture
def stage(space: Space) -> Iterator[Scene]:
    with scene(space) as made:
        yield made


def lease_name(space: Space) -> str:
    lease = space.lease()
    assert lease is not None
    return str(lease["metadata"]["name"])


def is_patch(line: str) -> bool:
    return line.startswith("PATCH") and "/deployments/" in line


def test_a_lease_that_is_deleted_under_a_run_is_not_made_again(stage: Scene) -> None:
    def delete(_: int, line: str) -> Fault:
        if is_patch(line):
            stage.space.api.delete(stage.space.name, "Lease", lease_name(stage.space))
        return None

    stage.broken()
    ended = stage.undo(hooks={"after": delete})

    assert ended.code == 5, str(ended)
    assert "its record could not be closed" in ended.last
    assert "deleted under this run" in ended.err
    assert stage.is_undone
    assert stage.space.lease() is None


def test_a_run_that_was_stopped_before_its_patch_does_not_land_it_after_a_takeover(
    stage: Scene, history: History
) -> None:
    """SIGSTOP between the intent and the PATCH; SIGCONT when another is done."""
    is_stopped = threading.Event()

    def stop(_: int, line: str) -> Fault:
        is_written = "/leases" in line and line.startswith(("POST", "PUT"))
        if is_written and "INTENT" in stage.states and not is_stopped.is_set():
            os.kill(frozen.pid, signal.SIGSTOP)
            is_stopped.set()
        return None

    stage.broken()
    stage.proxy.after = stop
    frozen = stage.started("undo")
    assert is_stopped.wait(30)
    stage.proxy.after = lambda *_: None
    second = stage.space.undo("--take-over").expect(0)
    frozen.send_signal(signal.SIGCONT)
    out, err = frozen.communicate(timeout=60)

    assert frozen.returncode != 0, out + err
    assert "rolled back to revision" not in out
    assert "settled" not in err
    assert stage.states == ["NOT_APPLIED", "SUCCEEDED"], str(second)
    assert stage.is_undone
    history.check(limit=1)


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        *(
            pytest.param(text, marks=EVERY_CASE)
            for text in ('{"schema":2,"records":[]}', '{"schema":1,"records":[{"op":1}]}', "")
        ),
    ],
)
def test_a_ledger_that_cannot_be_read_refuses_and_is_never_overwritten(
    space: Space, text: str
) -> None:
    space.deploy(space.version("v1"))
    space.roll(space.version("missing"))
    space.undo().expect(0)
    space.merge({"metadata": {"annotations": {LEDGER: text}}}, kind="Lease", name=lease_name(space))
    space.roll(space.version("missing-too"))
    ran = space.undo().expect(3)
    lease = space.lease()

    assert "PF805" in ran.findings()
    assert "the ledger cannot be read" in ran.err
    assert lease is not None
    assert lease["metadata"]["annotations"][LEDGER] == text
    space.resume().expect(1)
    assert space.image_now() == space.image("missing-too")


def test_a_lease_that_has_no_room_left_is_told_and_nothing_is_changed(space: Space) -> None:
    """262,144 bytes is all that an object's annotations may have; others have used them up."""
    space.deploy(space.version("v1"))
    space.roll(space.version("missing"))
    space.undo().expect(0)
    lease = space.lease()
    assert lease is not None
    room = 262_144 - sum(len(k) + len(v) for k, v in lease["metadata"]["annotations"].items())
    name = lease["metadata"]["name"]
    space.merge({"metadata": {"annotations": {"x": "y" * (room - 50)}}}, kind="Lease", name=name)
    space.roll(space.version("missing-too"))
    ran = space.undo().expect(1)

    assert "nothing was changed" in ran.outcome
    assert space.image_now() == space.image("missing-too")
    assert [r["state"] for r in space.records()] == ["SUCCEEDED"]


@pytest.mark.parametrize("off", [pytest.param(AN_HOUR, marks=EVERY_CASE), -AN_HOUR])
def test_a_machine_whose_clock_is_an_hour_off_sees_a_live_lock_as_live_and_its_times_are_right(
    space: Space, tmp_path: Path, off: int
) -> None:
    (tmp_path / "sitecustomize.py").write_text(SHIFTED.format(off=off))
    space.deploy(space.version("v1"))
    space.roll(space.version("missing"))
    before = space.get()["metadata"]["creationTimestamp"]
    ran = python(space, tmp_path, "undo", f"deploy/{SHOP}", "-n", space.name, "--yes")
    [record] = space.records()
    told = python(space, tmp_path, "ledger", f"deploy/{SHOP}", "-n", space.name)

    assert ran.returncode == 0, ran.stderr
    assert before[:13] in {record["intentAt"][:13], record["closedAt"][:13]}
    assert " h ago" not in told.stdout
    assert "1 of 2 rollbacks" in told.stdout


SHIFTED = """
import datetime as module, time
real = time.time
time.time = lambda: real() + {off}
class Shifted(module.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(time.time(), tz)
module.datetime = Shifted
"""


def python(space: Space, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.run(
        [sys.executable, "-m", "backout", *words],
        env={**space.environment, "PYTHONPATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.exclusive
def test_a_workload_whose_status_changes_twenty_times_a_second_is_undone_all_the_same(
    space: Space, history: History
) -> None:
    space.deploy(space.version("v1"))
    space.roll(space.version("missing"))
    is_over = threading.Event()
    is_moving = threading.Event()
    writes = 0

    def churn() -> None:
        nonlocal writes
        api = type(space.api)(space.cluster.kubeconfig)
        path = f"/apis/apps/v1/namespaces/{space.name}/deployments/{SHOP}/status"
        while not is_over.wait(0.05):
            writes += 1
            condition: dict[str, Any] = {
                "type": "Churn",
                "status": "True",
                "reason": f"n{writes}",
                "message": "",
            }
            body = {"status": {"conditions": [condition]}}
            # The API server gives a PATCH up that meets the controller's own writes five times.
            with suppress(Refused):
                api.call("PATCH", path, body, "strategic-merge-patch+json")
            is_moving.set()
        api.close()

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        assert is_moving.wait(10)
        before = writes
        space.undo().expect(0)
        during = writes - before
    finally:
        is_over.set()
        thread.join(10)

    assert during > 5
    assert [r["state"] for r in space.records()] == ["SUCCEEDED"]
    history.check(limit=1)


@pytest.mark.every_case
def test_fifty_rollbacks_with_long_reasons_stay_below_the_size_and_can_be_read(
    space: Space,
) -> None:
    """The records are made from a real one: fifty real rollbacks would take minutes."""
    space.deploy(space.version("v1"))
    space.roll(space.version("missing"))
    space.undo().expect(0)
    lease = space.lease()
    assert lease is not None
    ledger = json.loads(lease["metadata"]["annotations"][LEDGER])
    one = ledger["records"][0]
    old = [
        {**one, "op": f"{n:032}", "intentAt": "2026-01-01T00:00:00Z", "reason": "\U0001f525" * 60}
        for n in range(50)
    ]
    text = json.dumps({**ledger, "records": [*old, one]})
    space.merge({"metadata": {"annotations": {LEDGER: text}}}, kind="Lease", name=lease_name(space))
    space.roll(space.version("missing-too"))
    space.undo("--reason", "\U0001f525" * 400).expect(0)
    lease = space.lease()

    assert lease is not None
    assert len(lease["metadata"]["annotations"][LEDGER]) < 64 * 1024
    assert len(space.records()) == 50
    assert space.records()[-1]["state"] == "SUCCEEDED"
    space.backout("ledger", f"deploy/{SHOP}").expect(0)
