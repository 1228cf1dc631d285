from __future__ import annotations

from typing import Any

import pytest

from backout.core.kinds.deployment import DEPLOYMENT
from backout.core.kinds.kind import Pace
from tests.objects.deployments import deployment


def rolling(replicas: int, **rolling_update: Any) -> Pace:
    strategy = {"type": "RollingUpdate", "rollingUpdate": rolling_update}
    return DEPLOYMENT.pace(deployment(replicas=replicas, strategy=strategy))


@pytest.mark.parametrize(
    ("replicas", "strategy", "allowed"),
    [
        (3, {}, 0),  # 25% of 3 rounds down
        (4, {}, 1),
        (1, {}, 0),
        (10, {"maxUnavailable": "25%", "maxSurge": 0}, 2),
        (3, {"maxUnavailable": "25%", "maxSurge": 0}, 1),  # both come to 0
        (3, {"maxUnavailable": "25%", "maxSurge": "0%"}, 1),
        (3, {"maxUnavailable": 0, "maxSurge": 1}, 0),
        (3, {"maxUnavailable": 2}, 2),
        (3, {"maxUnavailable": "100%"}, 3),
        (3, {"maxUnavailable": "0%", "maxSurge": "1%"}, 0),  # a surge rounds up
    ],
)
def test_max_unavailable_is_what_the_controller_makes_of_it(
    replicas: int, strategy: dict[str, Any], allowed: int
) -> None:
    assert rolling(replicas, **strategy).unavailable == allowed


def test_recreate_allows_all_to_be_away() -> None:
    pace = DEPLOYMENT.pace(deployment(strategy={"type": "Recreate"}))
    assert pace == Pace(replicas=3, unavailable=3, surge=0, recreates=True)


@pytest.mark.parametrize(("told", "seconds"), [({}, 600), ({"progressDeadlineSeconds": 7}, 7)])
def test_a_rollout_may_be_without_progress_for_so_long(told: Any, seconds: int) -> None:
    assert DEPLOYMENT.deadline(deployment(**told)) == seconds


def test_the_greatest_deadline_is_none() -> None:
    assert DEPLOYMENT.deadline(deployment(progressDeadlineSeconds=2**31 - 1)) is None
