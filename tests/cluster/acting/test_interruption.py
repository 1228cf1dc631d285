"""Ctrl-C, SIGTERM and SIGKILL: a true last word, a closed record, a lock that is let go."""

from __future__ import annotations

import json
import signal
import socket
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.api import Object
    from tests.cluster.command import Ran, Running
    from tests.cluster.space import Space

LEDGER = "backout.dev/ledger"
pytestmark = pytest.mark.never_again
SIGNALS = [
    pytest.param(signal.SIGINT, 130, id="SIGINT"),
    pytest.param(signal.SIGTERM, 143, id="SIGTERM"),
]


def under_way(space: Space) -> Running:
    """Start a rollback whose target never becomes ready, and return while it is watched."""
    space.deploy(space.version("v1", env={"READY": "never"}), serve=False, up=False)
    space.roll(space.version("v2"), up=True)
    started = space.start_undo("--to-revision", "1")
    started.until("rollback triggered")
    started.until("Waiting for deployment")
    return started


def holder(space: Space) -> str:
    lease = space.lease()
    assert lease is not None
    return str(lease["spec"].get("holderIdentity", ""))


@pytest.mark.parametrize(("received", "code"), SIGNALS)
def test_an_interrupted_watch_ends_with_the_truth(
    space: Space, received: signal.Signals, code: int
) -> None:
    started = under_way(space)

    started.send(received)
    ran = started.ended().expect(code)

    assert ran.outcome.startswith("ERROR: interrupted"), str(ran)
    assert "deployment/shop was set to revision 1; its rollout was not watched" in ran.outcome
    assert f"backout resume deployment/shop -n {space.name}" in ran.err.splitlines()[-1]
    assert "successfully rolled out" not in ran.both
    assert space.image_now() == space.image("v1")
    [record] = space.records()
    assert (record["state"], record["closedAt"]) == ("APPLIED", None)
    assert holder(space) == ""
    assert space.journal_lines()[-1]["exit"] == code


@pytest.fixture
def silent_registry() -> Iterator[str]:
    """A registry that takes a connection and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_interrupted_before_the_patch_nothing_is_changed(
    space: Space, silent_registry: str
) -> None:
    version = space.version(image=f"{silent_registry}/app:v1")
    space.deploy(version, serve=False, up=False)
    space.roll(space.version("v2"), up=True)
    started = space.start_undo("--to-revision", "1", "--registry-plain-http", silent_registry)
    started.until("context ")

    started.send(signal.SIGINT)
    ran = started.ended().expect(130)

    assert ran.outcome == "ERROR: interrupted: nothing was changed", str(ran)
    assert space.wrote() == []
    assert space.image_now() == space.image("v2")


def killed(space: Space) -> Object:
    """Kill a rollback while it is watched; return the record that it leaves open."""
    started = under_way(space)
    started.send(signal.SIGKILL)
    assert started.ended().code == -signal.SIGKILL
    [left_open] = space.records()
    assert left_open["state"] == "APPLIED"
    assert holder(space) == left_open["op"]
    return left_open


def recovered(space: Space, ran: Ran) -> None:
    ran.expect(0)
    said = ran.line("a rollback of root (as admin), begun at ")
    assert "was left open; closed as UNDECIDED" in said
    assert ran.out.index(said) < ran.out.index("rollback triggered")
    assert space.image_now() == space.image("v2")
    assert [r["state"] for r in space.records()] == ["UNDECIDED", "SUCCEEDED"]
    assert holder(space) == ""


def test_after_a_kill_on_this_machine_the_next_undo_recovers_first(space: Space) -> None:
    killed(space)

    # The same boot and a dead process: nobody is left who could still act.
    recovered(space, space.undo("--to-revision", "2"))


def test_after_a_kill_elsewhere_the_next_undo_waits_for_the_lock_to_expire(space: Space) -> None:
    killed(space)
    rewrite(space, bootID="00000000-0000-4000-8000-000000000000", host="elsewhere")

    refused = space.undo("--to-revision", "2").expect(3)
    assert "another rollback is under way: root (as admin) on elsewhere" in refused.err
    assert len(space.audited("patch", "deployments")) == 1

    expire(space)
    recovered(space, space.undo("--to-revision", "2"))


def rewrite(space: Space, **facts: str) -> None:
    """Change holder and newest record in the Lease, as if another machine had written them."""
    lease = space.lease()
    assert lease is not None
    ledger = json.loads(lease["metadata"]["annotations"][LEDGER])
    ledger["records"][-1] |= facts
    ledger["holder"] |= facts
    space.merge(
        {"metadata": {"annotations": {LEDGER: json.dumps(ledger)}}},
        kind="Lease",
        name=lease["metadata"]["name"],
    )


def expire(space: Space) -> None:
    """Let the lock's last sign of life be older than its duration."""
    lease = space.lease()
    assert lease is not None
    past = datetime.now(tz=UTC) - timedelta(seconds=lease["spec"]["leaseDurationSeconds"] + 30)
    space.merge(
        {"spec": {"renewTime": past.strftime("%Y-%m-%dT%H:%M:%S.%fZ")}},
        kind="Lease",
        name=lease["metadata"]["name"],
    )
