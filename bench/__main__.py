"""`python -m bench [--write FILE]`: prints the table; exits 1 where a target is missed."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from bench import distance, standing, watching
from bench.measure import Row, peak_memory, ratio
from bench.scene import Scene
from bench.table import put
from sandbox import cluster
from sandbox.errors import SandboxError


def main() -> int:
    """Measure everything and print it; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--write", type=Path, metavar="FILE")
    parser.add_argument("--runs", type=int, default=11)
    arguments = parser.parse_args()
    try:
        scene = Scene(cluster.running())
    except SandboxError as error:
        print(error, file=sys.stderr)
        return 1
    _install_hyperfine()
    with scene:
        # First: what else is measured leaves the Deployment with another number of Pods.
        far = distance.table(scene, max(3, arguments.runs // 2))
        print(far)
        rows = measured(scene, arguments.runs)
    table = "\n".join([Row.HEADER, *(row.text for row in rows)])
    print(table)
    if arguments.write:
        put(arguments.write, "table", table)
        put(arguments.write, "distance", far)
    return 0 if all(row.is_met for row in rows) else 1


def measured(scene: Scene, runs: int) -> list[Row]:
    """Return a row for each target of the project."""
    python, backout, kubectl = sys.executable, scene.backout, scene.kubectl
    namespace = f"-n {scene.namespace}"
    undo = f"{backout} undo deploy/shop {namespace} --yes --health-successes 1 --rollback-limit 50"
    by_kubectl = (
        f"{kubectl} rollout undo deploy/shop {namespace} && "
        f"{kubectl} rollout status deploy/shop {namespace} --timeout=60s && "
        f"{kubectl} get --raw /api/v1/namespaces/{scene.namespace}/services/shop:web/proxy/ready"
    )
    return [
        ratio(
            "`backout --help` / a bare interpreter",
            f"{backout} --help",
            f"{python} -c pass",
            runs=runs,
            at_most=8.0,
        ),
        ratio(
            "`backout history deploy/shop` / `kubectl rollout history deploy/shop`",
            f"{backout} history deploy/shop {namespace}",
            f"{kubectl} rollout history deploy/shop {namespace}",
            runs=runs,
            at_most=2.0,
        ),
        ratio(
            "`backout ledger deploy/shop` / `kubectl get deploy/shop`",
            f"{backout} ledger deploy/shop {namespace}",
            f"{kubectl} get deploy/shop {namespace}",
            runs=runs,
            at_most=4.0,
        ),
        ratio(
            "`backout undo` - (`kubectl rollout undo && rollout status && get --raw`)",
            undo,
            by_kubectl,
            runs=max(5, runs // 2),
            more=0.6,
            prepare=scene.break_command,
        ),
        peak_memory("peak memory of `backout undo`", scene, undo, at_most=70.0),
        *standing.one(scene),
        *standing.every(scene),
        *watching.measured(),
    ]


def _install_hyperfine() -> None:
    if shutil.which("hyperfine") is None:
        print("installing hyperfine", file=sys.stderr)
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        subprocess.run(["apt-get", "install", "-y", "-qq", "hyperfine"], check=True)


if __name__ == "__main__":
    sys.exit(main())
