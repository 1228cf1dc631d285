"""`-f`: kubectl and backout read the same objects in a manifest."""

from __future__ import annotations

import json
import random
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from backout.core.kinds.manifest import named
from backout.kube.config import go_yaml
from tests.contract.kubectl.asked import KUBECTL
from tests.contract.kubectl.conftest import seed

if TYPE_CHECKING:
    from pathlib import Path

COUNT = 40
KINDS = (("apps/v1", "Deployment"), ("apps/v1", "StatefulSet"), ("apps/v1", "DaemonSet"))
OURS = {kind for _, kind in KINDS}


def by_kubectl(file: Path) -> list[tuple[str, str]] | None:
    """The workloads as kubectl names them, with their namespaces; None where it refuses."""
    told = "{.kind}/{.metadata.name} {.metadata.namespace}{'\\n'}"
    argv = [str(KUBECTL), "annotate", "--local", "-f", str(file), "a=b", "-o", f"jsonpath={told}"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode:
        return None
    pairs = [line.partition(" ") for line in done.stdout.splitlines()]
    found = [(what.lower(), where) for what, _, where in pairs if what.split("/")[0] in OURS]
    return list(dict.fromkeys(found))  # an object that stands twice is one workload


def by_backout(file: Path) -> list[tuple[str, str]] | None:
    try:
        return [(str(t), t.namespace) for t in named(go_yaml.documents(file.read_bytes()))]
    except (ValueError, yaml.YAMLError):
        return None


def made(rng: random.Random, number: int, *, depth: int = 0) -> Any:
    """An object: a workload, another kind, a list of some, or one with a fault.

    Without lists that are empty or stand in lists: `kubectl annotate` does not take them.
    """
    roll = rng.random()
    if roll < 0.2 and depth < 1:
        items = [made(rng, number * 10 + n, depth=depth + 1) for n in range(rng.randint(1, 3))]
        return {"apiVersion": "v1", "kind": "List", "items": items}
    version, kind = rng.choice((*KINDS, ("v1", "ConfigMap")))
    metadata: dict[str, Any] = {"name": f"a-{number}"}
    if rng.random() < 0.4:
        metadata["namespace"] = rng.choice(("shop", "other"))
    found = {"apiVersion": version, "kind": kind, "metadata": metadata}
    if rng.random() < 0.04:
        found.pop("kind")
    return found


def written(rng: random.Random) -> str:
    objects = [made(rng, number) for number in range(rng.randint(1, 4))]
    if rng.random() < 0.2:
        return "\n".join(map(json.dumps, objects[:1]))
    texts = [yaml.safe_dump(one, default_flow_style=rng.random() < 0.3) for one in objects]
    return rng.choice(("", "---\n", "# a comment\n---\n")) + "---\n".join(texts)


@pytest.mark.slow
def test_the_same_workloads_are_named(tmp_path: Path) -> None:
    rng = random.Random(seed())  # noqa: S311 (told, to be repeated)
    differing, refused = [], 0
    for number in range(COUNT):
        file = tmp_path / f"{number}.yaml"
        file.write_text(written(rng))
        theirs, ours = by_kubectl(file), by_backout(file)
        refused += theirs is None
        if theirs != ours:
            differing.append((file.read_text(), theirs, ours))

    assert differing == [], f"BACKOUT_SEED={seed()}"
    assert refused < COUNT / 2
