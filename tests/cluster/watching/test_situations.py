"""Failures and their twins that recover, live: the right word, and its cause.

`make test` plays one that is final and one that recovers of each mechanism; `make test-all` plays
all. What each looked like is judged without a cluster in tests/core/test_recorded.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.cluster.manifests import SHOP
from tests.cluster.watching.played import plays
from tests.situations.failing import FAILING
from tests.situations.healthy import HEALTHY
from tests.situations.node import FAILING_ON_IT, HEALTHY_ON_IT
from tests.situations.play import staged
from tests.situations.record import record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.cluster.command import Ran
    from tests.cluster.space import Space
    from tests.situations.situation import Situation

LIVE = {
    *("image missing", "a registry back after two errors"),
    *("readiness path", "slow inside its start-up probe"),
    *("no node fits", "an autoscaler on its way"),
    *("ConfigMap key missing", "a database that comes late"),
    *("quota", "scaled in the middle"),
}
"""Of the registry, the probes, the scheduler, the configuration and the controller's own work."""
STATUS = ("status", f"deploy/{SHOP}", "-o", "json", "--timeout", "200s")


def alone(situations: Mapping[str, Situation]) -> list[Any]:
    """Return them as parameters that run alone: they change the sandbox's only node."""
    marks = [pytest.mark.exclusive, pytest.mark.every_case]
    return [pytest.param(name, 0, marks=marks) for name in situations]


def followed(space: Space, situation: Situation, name: str) -> Ran:
    with staged(space, situation) as roll:
        earlier = space.every("Pod")
        roll()
        started = space.started(*STATUS, "--soak", situation.soak)
        situation.meanwhile(space)
        ran = started.ended()
        record(space, situation, name, earlier)
    return ran


def causes(ran: Ran, *, final: bool) -> list[str]:
    return [e["code"] for e in ran.events if e["event"] == "cause" and e["final"] is final]


@pytest.mark.parametrize(("name", "_play"), [*plays(FAILING, LIVE), *alone(FAILING_ON_IT)])
def test_what_fails_is_called_failed_with_its_cause(space: Space, name: str, _play: int) -> None:
    situation = {**FAILING, **FAILING_ON_IT}[name]
    ran = followed(space, situation, name).expect(situation.ends)

    last = ran.events[-1]
    assert last["verdict"] == {4: "Failed", 5: "Unknown"}[situation.ends]
    assert causes(ran, final=situation.final)[:1] == [situation.code], str(ran)
    assert situation.final or not causes(ran, final=True), str(ran)
    assert situation.says in last["message"]
    assert last["remedy"]
    assert "successfully rolled out" not in ran.both


@pytest.mark.parametrize(("name", "_play"), [*plays(HEALTHY, LIVE), *alone(HEALTHY_ON_IT)])
def test_what_recovers_is_never_called_failed(space: Space, name: str, _play: int) -> None:
    ran = followed(space, {**HEALTHY, **HEALTHY_ON_IT}[name], name).expect(0)

    assert causes(ran, final=True) == []
    assert ran.events[-1]["verdict"] == "Complete"
