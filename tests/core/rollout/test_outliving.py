"""A container that has ended must outlive its earlier runs before that is called a success."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from backout.core.diagnosis.exits import Exit
from backout.core.rollout.outliving import Runs, runs_seen, unproven
from tests.objects.pods import container_status, pod
from tests.objects.templates import template
from tests.objects.times import NOW, stamp

KEY = ("uid-web-3-a", "app")
ENDED = {KEY: Exit(code=3, since=0, longest=timedelta(seconds=4))}


def up(restarts: int = 1, **made: Any) -> dict[str, Any]:
    return pod(containers=[container_status(ready=True, restartCount=restarts)], **made)


def awaited(
    seconds: float, one: dict[str, Any] | None = None, *, exits: Any = None, before: int = 0
) -> str:
    """Return what is awaited of a container that we have seen run for so long."""
    listed = [one or up()]
    runs: Runs = runs_seen({}, listed, 100.0)
    known = ENDED if exits is None else exits
    return unproven(
        listed,
        known,
        {KEY: before},
        runs_seen(runs, listed, 100.0 + seconds),
        at=100.0 + seconds,
        now=NOW,
    )


def test_it_has_to_stay_up_three_times_as_long_as_its_longest_run() -> None:
    assert "exit 3 after 4 s" in awaited(11)
    assert "it has to stay up for 12 s" in awaited(11)
    assert awaited(12) == ""


def test_what_never_ended_or_ended_before_our_patch_has_nothing_to_prove() -> None:
    assert awaited(0, exits={}) == ""
    assert awaited(0, before=1) == ""
    assert awaited(0, up(2), before=1) != ""


def test_a_new_run_begins_anew() -> None:
    later = up(2)
    started = {"running": {"startedAt": stamp(NOW + timedelta(seconds=30))}}
    later["status"]["containerStatuses"][0]["state"] = started
    runs = runs_seen(runs_seen({}, [up()], 100.0), [later], 130.0)
    assert unproven([later], ENDED, {}, runs, at=131.0, now=NOW) != ""


def test_what_has_run_for_long_by_the_servers_own_stamps_need_not_be_watched_again() -> None:
    entry = {"subresource": "status", "time": stamp(NOW - timedelta(minutes=2))}
    assert awaited(0, up(metadata={"managedFields": [entry]})) == ""


def test_ten_minutes_are_enough_for_whatever_ran_for_days() -> None:
    days = {KEY: Exit(code=1, since=0, longest=timedelta(days=2))}
    assert awaited(599, exits=days) != ""
    assert awaited(600, exits=days) == ""


def test_an_init_container_that_is_done_has_nothing_to_prove_and_a_sidecar_has() -> None:
    spec = template()["spec"]
    key = ("uid-web-3-a", "side")
    exits = {key: Exit(code=0, since=0, longest=timedelta(seconds=4))}
    status = container_status(name="side", restartCount=1)
    for policy, waits in (("Always", True), ("", False)):
        init = [{"name": "side", **({"restartPolicy": policy} if policy else {})}]
        one = pod(init=[status], spec={**spec, "initContainers": init})
        assert bool(awaited(0, one, exits=exits)) is waits
