"""What people reported, live: what recovers is never called failed, and what fails is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cluster.manifests import SHOP
from tests.cluster.watching.played import plays
from tests.situations.play import staged
from tests.situations.record import record
from tests.situations.reported import COMES_AND_GOES, FAILING, RECORDED, RECOVERING

if TYPE_CHECKING:
    from tests.cluster.command import Ran
    from tests.cluster.space import Space
    from tests.situations.situation import Situation

LIVE = {
    "a Secret that comes later",
    "an old Pod that keeps the port",
    "Pods that ended last week",
    "a hook that fails",
    "exits a few seconds after each start",
}
"""One of each mechanism that no other situation has; `make test-all` plays the others, too."""
STATUS = ("status", f"deploy/{SHOP}", "-o", "json", "--timeout", "200s")


def followed(space: Space, situation: Situation, name: str) -> Ran:
    with staged(space, situation) as roll:
        earlier = space.every("Pod")
        roll()
        started = space.started(*STATUS, "--soak", situation.soak)
        situation.meanwhile(space)
        ran = started.ended()
        if name in RECORDED:
            record(space, situation, name, earlier)
    return ran


def causes(ran: Ran, *, final: bool) -> list[str]:
    return [e["code"] for e in ran.events if e["event"] == "cause" and e["final"] is final]


@pytest.mark.parametrize(("name", "_play"), plays(RECOVERING, LIVE))
def test_what_comes_late_is_waited_for(space: Space, name: str, _play: int) -> None:
    ran = followed(space, RECOVERING[name], name).expect(0)

    assert causes(ran, final=True) == [], str(ran)
    assert ran.events[-1]["verdict"] == "Complete"


@pytest.mark.parametrize(("name", "_play"), plays(FAILING, LIVE))
def test_what_fails_is_named(space: Space, name: str, _play: int) -> None:
    situation = FAILING[name]
    ran = followed(space, situation, name).expect(situation.ends)

    assert situation.says in ran.events[-1]["message"], str(ran)
    assert causes(ran, final=situation.final)[:1] == [situation.code], str(ran)


@pytest.mark.parametrize(("name", "_play"), plays(COMES_AND_GOES, LIVE))
def test_what_comes_and_goes_is_never_called_rolled_out(
    space: Space, name: str, _play: int
) -> None:
    situation = COMES_AND_GOES[name]
    ran = followed(space, situation, name).expect(situation.ends)

    assert situation.code in causes(ran, final=False), str(ran)
    assert "successfully rolled out" not in ran.both
