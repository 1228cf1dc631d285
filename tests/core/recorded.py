"""Situations recorded from the real kubelet and controllers (tests/situations/record.py)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from backout.core.diagnosis import diagnosis, exits
from backout.core.diagnosis.diagnosis import Before, Meanwhile, others_of
from backout.core.kinds.deployment import DEPLOYMENT
from backout.core.kubernetes import objects, template
from backout.core.rollout.verdict import judge

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from backout.core.diagnosis.causes import Cause
    from backout.core.rollout.verdict import Verdict

FOLDER = Path(__file__).parents[1] / "situations" / "recorded"
NAMES = sorted(f.stem for f in FOLDER.glob("*.yaml"))
Object = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """`code` and `final` are what is right; `earlier` the Pods as they were before the change."""

    code: str
    final: bool
    ends: int
    now: datetime
    workload: Object
    stored: Sequence[Object]
    pods: Sequence[Object]
    events: Sequence[Object]
    earlier: Sequence[Object]
    nodes_may_return: bool
    began: Object

    @property
    def current(self) -> Object:
        wanted = self.digest
        sets = (r for r in self.stored if template.digest(r["spec"]["template"]) == wanted)
        return next(sets)

    @property
    def digest(self) -> str:
        return template.digest(self.began["spec"]["template"])


def recorded(name: str) -> Recorded:
    held = yaml.load((FOLDER / f"{name}.yaml").read_text(), yaml.CSafeLoader)
    now = objects.timestamp(held["now"])
    assert now is not None
    return Recorded(
        code=held["code"],
        final=held["final"],
        ends=held["ends"],
        now=now,
        workload=held["workload"],
        stored=held["replicaSets"],
        pods=held["pods"],
        events=held["events"],
        earlier=held["earlier"],
        nodes_may_return=held["nodesMayReturn"],
        began=held.get("began", held["workload"]),
    )


def pods_of(one: Recorded, pods: Sequence[Object]) -> list[Any]:
    """Return those of the revision that was to run."""
    history = DEPLOYMENT.revisions(one.began, one.stored, pods)
    return next(list(r.pods) for r in history if r.is_current)


def judged(
    one: Recorded,
    *,
    now: datetime | None = None,
    pods: Sequence[Object] | None = None,
    events: Sequence[Object] | None = None,
    looks: int = 1,
) -> tuple[tuple[Cause, ...], Verdict]:
    """Return the causes and the verdict; `looks` is how often the same state was seen."""
    listed = list(one.pods if pods is None else pods)
    own = pods_of(one, listed)
    others = [p for p in listed if p not in own]
    templates = [r["spec"]["template"] for r in one.stored if r is not one.current]
    seen: Any = {}
    for _ in range(looks):
        seen = exits.seen(seen, own)
    causes = diagnosis.causes(
        one.workload,
        DEPLOYMENT,
        one.current,
        own,
        one.events if events is None else events,
        now=now or one.now,
        others=others,
        earlier=Before(others=others_of(one.earlier, templates)),
        meanwhile=Meanwhile(exits=seen, nodes_may_return=one.nodes_may_return),
    )
    verdict = judge(
        one.workload,
        DEPLOYMENT,
        wanted=one.digest,
        began=one.began,
        pods=own,
        causes=causes,
    )
    return causes, verdict
