"""Situations recorded from the real kubelet and controllers (tests/situations/record.py)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from backout.core.diagnosis.before import first_look, progress_deadline
from backout.core.diagnosis.diagnosis import Meanwhile, Scene
from backout.core.diagnosis.groups import LOG, Found, Look
from backout.core.kinds.deployment import DEPLOYMENT
from backout.core.kubernetes import objects, template
from backout.core.rollout.verdict import judge
from tests.core.diagnosis import looks

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


class _Looked(dict[Look, Found]):
    def __init__(self, code: str) -> None:
        self._code = code

    def __missing__(self, look: Look) -> Found:
        is_so = look.kind != LOG or self._code == "IMAGE_PLATFORM"
        return Found.CONFIRMED if is_so else Found.REFUTED


WATCHED = tuple(float(s) for s in range(0, 200, 4))
"""Seconds of the looks at what was recorded: as long as the longest patience."""


def judged(
    one: Recorded,
    *,
    now: datetime | None = None,
    pods: Sequence[Object] | None = None,
    events: Sequence[Object] | None = None,
    seconds: Sequence[float] = WATCHED,
) -> tuple[tuple[Cause, ...], Verdict]:
    """Return the causes and the verdict after looks at these seconds.

    Our own confirm it all; of logs, only one is of a program that cannot be run.
    """
    listed = list(one.pods if pods is None else pods)
    own = pods_of(one, listed)
    templates = [r["spec"]["template"] for r in one.stored if r is not one.current]
    deadline = progress_deadline(one.workload, DEPLOYMENT)
    scene = Scene(
        workload=one.workload,
        kind=DEPLOYMENT,
        stored=one.current,
        pods=own,
        events=list(one.events if events is None else events),
        now=now or one.now,
        others=[p for p in listed if p not in own],
        earlier=first_look(one.earlier, one.now, templates, deadline=deadline),
    )
    known = Meanwhile(nodes_may_return=one.nodes_may_return)
    causes = looks.causes(scene, seconds=seconds, meanwhile=known, found=_Looked(one.code))
    verdict = judge(
        one.workload,
        DEPLOYMENT,
        wanted=one.digest,
        began=one.began,
        seen=scene.seen,
        causes=causes,
    )
    return causes, verdict
