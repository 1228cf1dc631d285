"""Keeps what the real kubelet and controllers said: one file a situation (BACKOUT_RECORD=1)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from backout.core.diagnosis.placement import may_return
from backout.core.kubernetes import objects
from tests.cluster.manifests import SHOP
from tests.cluster.space import until
from tests.situations import slim

if TYPE_CHECKING:
    from tests.cluster.space import Space
    from tests.situations.situation import Situation

FOLDER = Path(__file__).parent / "recorded"


def record(
    space: Space,
    situation: Situation,
    name: str,
    earlier: list[dict[str, Any]],
    began: dict[str, Any] | None = None,
) -> None:
    """Write the objects as they are now, where that is asked for.

    `began` is the workload as the rollout began, where it has changed since.
    """
    if not os.environ.get("BACKOUT_RECORD"):
        return
    if situation.code:
        until("no new Pod is Ready", lambda: not _ready(space, earlier))
    workload = space.get()
    kept = {
        "code": situation.code,
        "final": situation.final,
        "ends": situation.ends,
        "now": space.api.now(),
        "workload": slim.workload(workload),
        "replicaSets": [slim.workload(r) for r in space.every("ReplicaSet", f"app={SHOP}")],
        "pods": [slim.pod(p) for p in space.every("Pod", f"app={SHOP}")],
        "events": [slim.event(e) for e in space.every("Event")],
        "nodesMayReturn": may_return(space.nodes(), ()),
        "earlier": [slim.pod(p) for p in earlier],
    }
    if began is not None:
        told = {"began": began, "workload": workload}
        kept |= {k: slim.workload(w, writers=True) for k, w in told.items()}
    FOLDER.mkdir(exist_ok=True)
    file = FOLDER / f"{name.replace(' ', '-')}.yaml"
    file.write_text(yaml.safe_dump(kept, sort_keys=True, width=100, allow_unicode=True))


def _ready(space: Space, earlier: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the new Pods that are Ready: one that comes and goes is right after a restart."""
    old = {objects.uid(p) for p in earlier}
    return [p for p in space.pods() if objects.is_ready(p) and objects.uid(p) not in old]
