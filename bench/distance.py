"""How long commands take where the API server is 0, 30, 100 and 200 ms away, beside kubectl's."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bench.far import far_away
from bench.measure import medians

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.scene import Scene

DELAYS = (0, 30, 100, 200)
"""Milliseconds of a round trip."""
HEADER = "| command | 0 ms | 30 ms | 100 ms | 200 ms |\n| --- | --- | --- | --- | --- |"


def table(scene: Scene, runs: int) -> str:
    """Return a row for each command and its counterpart, in seconds, with these many runs each."""
    found: dict[str, list[float]] = {name: [] for pair in _pairs(scene) for name in pair}
    for delay in DELAYS:
        with _distance(delay / 1000):
            for pair in _pairs(scene):
                names, commands = list(pair), list(pair.values())
                prepare = scene.break_command if "undo" in names[0] else ""
                seconds = medians(commands, runs=runs, prepare=prepare, may_fail=not prepare)
                for name, one in zip(names, seconds, strict=True):
                    found[name].append(one)
    rows = [
        f"| {name} | {' | '.join(f'{one:.2f} s' for one in seconds)} |"
        for name, seconds in found.items()
    ]
    return "\n".join([HEADER, *rows])


def _pairs(scene: Scene) -> list[dict[str, str]]:
    """Return what is compared: our command, and what a person would use instead."""
    backout, kubectl, where = scene.backout, scene.kubectl, f"deploy/shop -n {scene.namespace}"
    ready = f"/api/v1/namespaces/{scene.namespace}/services/shop:web/proxy/ready"
    by_kubectl = (
        f"{kubectl} rollout undo {where} && {kubectl} rollout status {where} --timeout=60s && "
        f"{kubectl} get --raw {ready}"
    )
    fresh = f"sh -c '{kubectl} get {where} --cache-dir $(mktemp -d)'"
    one = "--yes --health-successes 1 --rollback-limit 50"
    return [
        {
            "`backout undo`": f"{backout} undo {where} {one}",
            "`kubectl rollout undo && rollout status && get --raw`": by_kubectl,
        },
        {
            "`backout check`": f"{backout} check {where}",
            "`backout status`": f"{backout} status {where} --soak 1s",
            "`backout explain`": f"{backout} explain {where}",
            "`kubectl get`": f"{kubectl} get {where}",
            "`kubectl get`, nothing cached": fresh,
            "`kubectl describe`": f"{kubectl} describe {where}",
        },
    ]


@contextmanager
def _distance(delay: float) -> Iterator[None]:
    """Send everything that is started meanwhile through the proxy, the preparations included."""
    before = os.environ["KUBECONFIG"]
    config = json.loads(Path(before).read_text())
    cluster = config["clusters"][0]["cluster"]
    with far_away(cluster["server"], delay=delay) as port:
        cluster["server"] = f"https://127.0.0.1:{port}"
        near = Path(before)
        far = near.with_name(f"bench-{port}")
        far.write_text(json.dumps(config))
        os.environ["KUBECONFIG"] = str(far)
        try:
            yield
        finally:
            os.environ["KUBECONFIG"] = before
            far.unlink()
