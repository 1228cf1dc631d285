"""PF608 to PF612: Pods that a rollback does not replace; one case that triggers, one clean."""

from __future__ import annotations

from typing import Any

import pytest

from backout.core.kinds.stateful_set import STATEFUL_SET
from backout.core.kinds.target import Target
from tests.core.checks.running import found_by
from tests.core.values_made import preflight
from tests.objects.controller_revisions import controller_revision
from tests.objects.stateful_sets import ordinal, stateful_set
from tests.objects.templates import template

TARGET = Target(kind=STATEFUL_SET, namespace="shop", name="web")
BAD = ordinal(2, "web-v3", ready=False)
GOOD = (ordinal(0, "web-v2"), ordinal(1, "web-v2"))
ON_DELETE: Any = {"updateStrategy": {"type": "OnDelete", "rollingUpdate": {}}}
NIL: Any = {"currentRevision": "web-v3", "updateRevision": "web-v3"}
ALL = ("PF608", "PF609", "PF610", "PF611", "PF612")


def ahead(*pods: Any, policy: Any = None, status: Any = None, **spec: Any) -> Any:
    """Return a StatefulSet at revision 3 that is to go back to 2."""
    snapshot = spec.pop("snapshot", {})
    return preflight(
        to=2,
        policy={"command": ("undo", "sts/web", "-n", "shop"), **(policy or {})},
        target=TARGET,
        workload=stateful_set(template("reg.example/app:v3"), status=status, **spec),
        stored=(controller_revision(2), controller_revision(3)),
        pods=pods or (*GOOD, BAD),
        **snapshot,
    )


def ids(preflight: Any) -> set[str]:
    return {one for one in ALL if found_by(one, preflight)}


def test_a_pod_that_will_hold_the_rollback_up_is_told_with_the_line_that_has_it_deleted() -> None:
    (found,) = found_by("PF609", ahead())
    assert "the StatefulSet waits for Pod web-2" in found.message
    assert found.remedy.endswith("backout undo sts/web -n shop --replace-stuck-pods")


@pytest.mark.parametrize(
    ("made", "found"),
    [
        pytest.param(ahead(), {"PF609"}, id="in order"),
        pytest.param(ahead(podManagementPolicy="Parallel"), set(), id="in parallel"),
        pytest.param(ahead(*GOOD, ordinal(2, "web-v3")), set(), id="the bad one is Ready"),
        pytest.param(ahead(*GOOD, ordinal(2, "web-v2", ready=False)), set(), id="of the target"),
        pytest.param(
            ahead(updateStrategy={"rollingUpdate": {"partition": 1}}),
            {"PF609", "PF610"},
            id="partition",
        ),
        pytest.param(ahead(**ON_DELETE), {"PF608"}, id="on delete"),
        pytest.param(
            ahead(*GOOD, ordinal(2, "web-v2"), **ON_DELETE), set(), id="all run the target already"
        ),
        pytest.param(ahead(policy={"replace_stuck_pods": True}), {"PF611"}, id="with the flag"),
        pytest.param(
            ahead(
                policy={"replace_stuck_pods": True},
                snapshot={"permissions": {"delete pods": False}},
            ),
            {"PF611", "PF612"},
            id="without the right",
        ),
    ],
)
def test_each_is_found_where_it_is_so_and_nowhere_else(made: Any, found: set[str]) -> None:
    assert ids(made) == found


def test_with_the_flag_what_deleting_does_not_help_is_still_a_warning_with_what_does() -> None:
    made = ahead(status=NIL, policy={"replace_stuck_pods": True})
    del made.snapshot.workload["spec"]["updateStrategy"]["rollingUpdate"]

    assert ids(made) == {"PF609"}
    (found,) = found_by("PF609", made)
    assert found.remedy.startswith("after the patch: kubectl patch statefulset web -n shop")


def test_on_delete_names_the_pods_to_delete() -> None:
    (found,) = found_by("PF608", ahead(**ON_DELETE))
    assert "the StatefulSet's updateStrategy is OnDelete" in found.message
    assert found.detail == "not of revision 2: web-2"
    assert found.remedy.endswith("kubectl delete pod web-2 -n shop")


def test_a_partition_names_the_ordinals_that_stay() -> None:
    strategy = {"rollingUpdate": {"partition": 2}}
    (found,) = found_by("PF610", ahead(updateStrategy=strategy))
    assert "partition is 2: ordinals 0 to 1 stay as they are" in found.message
