"""What `backout status` costs beside a large rollout: 1,500 new Pods beside 1,500 old ones.

    python -m bench.watching

The API server is the small one of the contract tests: the sandbox has no room for so many Pods.
Measured is the CPU time of the command's process alone, once it has read everything.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bench.measure import Row
from tests.contract.api_server import NAMESPACE, ApiServer
from tests.objects.deployments import manifest
from tests.objects.metadata import condition, owned_by
from tests.objects.pods import container_status, pod
from tests.objects.replica_sets import replica_set
from tests.objects.templates import READY, template
from tests.objects.times import stamp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.objects.metadata import Object

PODS = 1500
QUIET, CHANGES, SOON = 20.0, 20, 0.9
"""Seconds in which nothing changes; then Pods that become Ready, each so long after the one before:
less than a tick, so that each is one look.
"""
AT_MOST, A_CHANGE, MEMORY = 0.05, 0.1, 100.0
"""MB (10^6 bytes) at the most."""
TICKS = os.sysconf("SC_CLK_TCK")


def main() -> int:
    """Print the rows; return 1 where a target is missed."""
    rows = measured()
    print("\n".join([Row.HEADER, *(row.text for row in rows)]))
    return 0 if all(row.is_met for row in rows) else 1


def measured() -> list[Row]:
    """Return the rows: the share of a core where nothing changes, the time of a change, memory."""
    share, change, memory = asyncio.run(_costs())
    what = f"`backout status` beside {PODS} new and {PODS} old Pods"
    return [
        _row(
            f"{what}, while nothing changes",
            f"{share:.1%}",
            f"{AT_MOST:.0%}",
            is_met=share < AT_MOST,
        ),
        _row(f"{what}, CPU a change", f"{change:.3f} s", f"{A_CHANGE} s", is_met=change < A_CHANGE),
        _row(f"{what}, memory", f"{memory:.0f} MB", f"{MEMORY:g} MB", is_met=memory < MEMORY),
    ]


def _row(what: str, found: str, at_most: str, *, is_met: bool) -> Row:
    return Row(
        what=what, ours=found, theirs="-", result=found, target=f"{at_most} at most", is_met=is_met
    )


async def _costs() -> tuple[float, float, float]:
    async with ApiServer() as api:
        names = _large(api)
        async with _watching(api) as process:
            await _settled(process.pid)
            quiet = await _spent(process.pid, QUIET)
            busy = 0.0
            for name in names[:CHANGES]:
                api.edit("pods", name, _become_ready)
                busy += await _spent(process.pid, SOON)
            return quiet / QUIET, busy / CHANGES, _peak(process.pid)


def _large(api: ApiServer) -> list[str]:
    """Fill the API server; return the names of the new Pods, which run and are not Ready."""
    old, new = (
        template("reg.example/app:v1", readinessProbe=READY),
        template("reg.example/app:v2", readinessProbe=READY),
    )
    web = api.add("deployments", manifest(new, replicas=PODS))
    names: list[str] = []
    for number, pods in ((1, old), (2, new)):
        made = replica_set(number, pods=pods, owner=web["metadata"]["uid"], replicas=PODS)
        there = api.add("replicasets", made)
        for index in range(PODS):
            one = api.add("pods", _pod(there, index, ready=number == 1))
            names += (
                [one["metadata"]["name"]]
                if there["spec"]["template"]["spec"] == new["spec"]
                else []
            )
    counted = {"replicas": 2 * PODS, "updatedReplicas": PODS, "readyReplicas": PODS}
    status = {**counted, "availableReplicas": PODS, "observedGeneration": 1}
    api.edit("deployments", "web", lambda d: d.update(status=status))
    return names


def _pod(of: Object, index: int, *, ready: bool) -> Object:
    name, pods = of["metadata"]["name"], of["spec"]["template"]
    now = stamp(datetime.now(UTC))
    written = {
        "manager": "kubelet",
        "operation": "Update",
        "subresource": "status",
        "time": now,
        "fieldsV1": {"f:status": {f"f:field{n}": {"f:type": {}, ".": {}} for n in range(40)}},
    }
    container = container_status(ready=ready, state={"running": {"startedAt": now}})
    return pod(
        f"{name}-{index}",
        ready=ready,
        metadata={
            "labels": pods["metadata"]["labels"],
            "ownerReferences": owned_by(of["metadata"]["uid"], kind="ReplicaSet", name=name),
            "managedFields": [written],
        },
        spec={**pods["spec"], "nodeName": f"n{index % 100}"},
        conditions=[condition(c, "True") for c in ("PodScheduled", "Initialized")],
        containers=[container],
        phase="Running",
    )


def _become_ready(one: Object) -> None:
    for said in one["status"]["conditions"]:
        if said["type"] == "Ready":
            said["status"] = "True"
    one["status"]["containerStatuses"][0]["ready"] = True


@asynccontextmanager
async def _watching(api: ApiServer) -> AsyncIterator[asyncio.subprocess.Process]:
    with tempfile.TemporaryDirectory() as home:
        config = Path(home) / "config"
        config.write_text(json.dumps(_kubeconfig(api.url)))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "backout", "status", "deploy/web"),
            *("--kubeconfig", str(config)),
            stdout=asyncio.subprocess.DEVNULL,
            env={**os.environ, "HOME": home},
        )
        try:
            yield process
        finally:
            process.terminate()
            await process.wait()


def _kubeconfig(server: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "large",
        "contexts": [
            {
                "name": "large",
                "context": {"cluster": "large", "user": "large", "namespace": NAMESPACE},
            }
        ],
        "clusters": [{"name": "large", "cluster": {"server": server}}],
        "users": [{"name": "large", "user": {}}],
    }


async def _settled(pid: int) -> None:
    """Wait until everything is read: two seconds that cost less than half of a core."""
    async with asyncio.timeout(60):
        await _spent(pid, 5.0)
        while await _spent(pid, 2.0) > 1.0:
            pass


async def _spent(pid: int, seconds: float) -> float:
    """Return the CPU seconds that a process spends meanwhile."""
    before = _cpu(pid)
    await asyncio.sleep(seconds)
    return _cpu(pid) - before


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _peak(pid: int) -> float:
    told = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in told if line.startswith("VmHWM")) * 1024 / 1e6


if __name__ == "__main__":
    sys.exit(main())
