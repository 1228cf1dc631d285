"""Measures `backout check`: of one workload again and again, and of a namespace that is full."""

from __future__ import annotations

import json
import os
import shlex
import statistics
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.measure import Row

if TYPE_CHECKING:
    from bench.scene import Scene

RUNS, WORKLOADS = 100, 500
WALL, CPU = 1.0, 0.4
ALL_WALL, ALL_MEMORY = 20.0, 200.0


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one process took: seconds by the clock and of the CPU, and MB (10^6 bytes) at most."""

    wall: float
    cpu: float
    megabytes: float


def one(scene: Scene) -> list[Row]:
    """Return the rows of `check deploy/shop`: its time, and its requests with more Pods."""
    command = f"{scene.backout} check deploy/shop -n {scene.namespace} --rollback-limit 50"
    scene.break_now()
    costs = [_cost(command) for _ in range(RUNS)]
    wall = statistics.quantiles([c.wall for c in costs], n=20)[-1]
    cpu = statistics.quantiles([c.cpu for c in costs], n=20)[-1]
    few, many = (_requests(scene, command, replicas) for replicas in (1, 6))
    return [
        _row("`backout check deploy/shop`, p95 by the clock", wall, "s", WALL),
        _row("`backout check deploy/shop`, p95 of its CPU time", cpu, "s", CPU),
        Row(
            what="requests of `backout check deploy/shop` with 1 Pod / with 6",
            ours=f"{few} / {many}",
            theirs="-",
            result=f"{many - few:+d}",
            target="as many",
            is_met=few == many,
        ),
    ]


def every(scene: Scene) -> list[Row]:
    """Return the rows of `check --all` in a namespace of 500 Deployments with two revisions."""
    with scene.full(WORKLOADS) as namespace:
        cost = _cost(f"{scene.backout} check -n {namespace} --all")
    what = f"`backout check --all` of {WORKLOADS} Deployments"
    return [
        _row(f"{what}, by the clock", cost.wall, "s", ALL_WALL),
        _row(f"{what}, peak memory", cost.megabytes, "MB", ALL_MEMORY),
    ]


def _row(what: str, found: float, unit: str, at_most: float) -> Row:
    shown = f"{found:.0f} {unit}" if unit == "MB" else f"{found:.2f} {unit}"
    return Row(
        what=what,
        ours=shown,
        theirs="-",
        result=shown,
        target=f"{at_most:g} {unit} at most",
        is_met=found <= at_most,
    )


def _cost(command: str) -> Cost:
    began = time.monotonic()
    child = subprocess.Popen(
        shlex.split(command), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise subprocess.CalledProcessError(child.returncode, command)
    return Cost(
        wall=wall,
        cpu=usage.ru_utime + usage.ru_stime,
        megabytes=usage.ru_maxrss * 1024 / 1e6,
    )


def _requests(scene: Scene, command: str, replicas: int) -> int:
    scene.scale(replicas)
    # Whether it could go back (to the broken one, perhaps) is no matter here.
    done = subprocess.run(
        shlex.split(f"{command} -o json"), check=False, capture_output=True, text=True
    )
    events = [json.loads(line) for line in done.stdout.splitlines()]
    return next(int(e["requests"]) for e in events if e["event"] == "checked")
