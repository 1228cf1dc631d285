from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backout.core.kinds.deployment import DEPLOYMENT
from backout.core.room.startability import first_pods, must_start
from tests.objects.deployments import deployment

if TYPE_CHECKING:
    from backout.core.kinds.kind import Pace


def rolling(replicas: int, **rolling_update: Any) -> Pace:
    strategy = {"type": "RollingUpdate", "rollingUpdate": rolling_update}
    return DEPLOYMENT.pace(deployment(replicas=replicas, strategy=strategy))


@pytest.mark.parametrize(
    ("replicas", "strategy", "ready", "must"),
    [
        (3, {}, 3, False),
        (3, {}, 2, True),
        (4, {}, 3, False),
        (4, {}, 2, True),
        (1, {}, 0, True),
        (0, {}, 0, False),
        (3, {"maxUnavailable": "100%"}, 0, True),  # none at all: something must start
        (3, {"maxUnavailable": "100%"}, 1, False),
    ],
)
def test_pods_must_be_started_when_fewer_are_ready_than_must_be_there(
    replicas: int, strategy: dict[str, Any], ready: int, *, must: bool
) -> None:
    assert must_start(rolling(replicas, **strategy), ready=ready) is must


def test_without_replicas_in_the_spec_there_is_one() -> None:
    workload = deployment()
    del workload["spec"]["replicas"]
    assert must_start(DEPLOYMENT.pace(workload), ready=0)
    assert not must_start(DEPLOYMENT.pace(workload), ready=1)


amounts = st.integers(0, 12) | st.integers(0, 100).map(lambda n: f"{n}%")


@given(st.integers(1, 12), amounts, amounts, st.integers(0, 12))
def test_one_more_ready_pod_never_makes_a_start_necessary(
    replicas: int, unavailable: Any, surge: Any, ready: int
) -> None:
    pace = rolling(replicas, maxUnavailable=unavailable, maxSurge=surge)
    assert must_start(pace, ready=0)
    assert not must_start(pace, ready=replicas)
    if not must_start(pace, ready=ready):
        assert not must_start(pace, ready=ready + 1)


@pytest.mark.parametrize(
    ("strategy", "of_target", "of_all", "first"),
    [
        ({"maxSurge": 1}, 0, 3, 1),
        ({"maxSurge": "25%"}, 0, 3, 1),  # rounds up
        ({"maxSurge": "100%"}, 0, 3, 3),
        ({"maxSurge": 1}, 3, 4, 0),  # all of the target run
        ({"maxSurge": 1}, 0, 4, 0),  # the surge is used up: an old one goes first
        ({"maxSurge": 1}, 0, 1, 3),
        ({"maxSurge": 0}, 0, 3, 0),
    ],
)
def test_the_first_pods_are_what_the_surge_leaves(
    strategy: dict[str, Any], of_target: int, of_all: int, first: int
) -> None:
    assert first_pods(rolling(3, **strategy), of_target=of_target, of_all=of_all) == first
