"""Every class of failure and its twin that recovers, live: the right word, and its cause."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.cluster.manifests import SHOP
from tests.situations.failing import FAILING
from tests.situations.healthy import HEALTHY
from tests.situations.node import FAILING_ON_IT, HEALTHY_ON_IT
from tests.situations.play import staged
from tests.situations.record import record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.cluster.command import Ran
    from tests.cluster.space import Space
    from tests.situations.situation import Situation

STATUS = ("status", f"deploy/{SHOP}", "-o", "json", "--timeout", "150s")


def alone(names: Iterable[str]) -> list[Any]:
    """Return them as parameters that run alone: they change the sandbox's only node."""
    return [pytest.param(name, marks=pytest.mark.exclusive) for name in names]


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


@pytest.mark.parametrize("name", [*FAILING, *alone(FAILING_ON_IT)])
def test_what_fails_is_called_failed_with_its_cause(space: Space, name: str) -> None:
    situation = {**FAILING, **FAILING_ON_IT}[name]
    ran = followed(space, situation, name).expect(situation.ends)

    last = ran.events[-1]
    assert last["verdict"] == {4: "Failed", 5: "Unknown"}[situation.ends]
    assert causes(ran, final=situation.final)[:1] == [situation.code], str(ran)
    assert situation.final or not causes(ran, final=True), str(ran)
    assert situation.says in last["message"]
    assert last["remedy"]
    assert "successfully rolled out" not in ran.both


@pytest.mark.parametrize("name", [*HEALTHY, *alone(HEALTHY_ON_IT)])
def test_what_recovers_is_never_called_failed(space: Space, name: str) -> None:
    ran = followed(space, {**HEALTHY, **HEALTHY_ON_IT}[name], name).expect(0)

    assert causes(ran, final=True) == []
    assert ran.events[-1]["verdict"] == "Complete"
