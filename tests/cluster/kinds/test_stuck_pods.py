"""The trap of ordered StatefulSets: named, and ended where that is asked for, Pod by Pod."""

from __future__ import annotations

import signal
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.cluster.kinds.sets import STATEFUL, Gated, Shop
from tests.cluster.manifests import SHOP, Version
from tests.cluster.space import until

if TYPE_CHECKING:
    from tests.cluster.api import Object
    from tests.cluster.space import Space

EVERY_CASE = pytest.mark.every_case
REPLACE = "--replace-stuck-pods"
PARTITION_0 = {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}
PARTITION_1 = {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}
FAILURES: dict[str, Any] = {
    "image missing": ("missing", {}),
    "crash loop": ("v2", {"env": {"CRASH": "3"}}),
    "never ready": ("v2", {"env": {"READY": "never"}}),
    "missing ConfigMap": (
        "v2",
        {"container": {"envFrom": [{"configMapRef": {"name": "never-made"}}]}},
    ),
    "unschedulable": ("v2", {"container": {"resources": {"requests": {"cpu": "1000"}}}}),
}
STRATEGIES = {
    "p0": PARTITION_0,
    "p1": PARTITION_1,
    "mu2": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 2}},
}
LIVE = {("crash loop", "p0")}


def broken(space: Space, failure: str, strategy: Object, policy: str = "OrderedReady") -> Shop:
    tag, how = FAILURES[failure]
    shop = Shop(space, STATEFUL, podManagementPolicy=policy, updateStrategy=strategy)
    shop.deploy()
    shop.roll(Version(image=space.image(tag), **how))
    return shop


def deletions(space: Space) -> list[Object]:
    return space.audited("delete", "pods")


def names(space: Space) -> list[str]:
    return [str(e["objectRef"]["name"]) for e in deletions(space)]


def seconds(event: Object) -> float:
    return datetime.fromisoformat(event["requestReceivedTimestamp"]).timestamp()


def test_the_trap_is_named_before_and_in_the_verdict_and_resume_ends_it(space: Space) -> None:
    shop = broken(space, "image missing", PARTITION_0)

    ran = shop.undo("--patience", "1s").expect(4)

    assert "PF609" in ran.findings()
    assert "the StatefulSet waits for Pod shop-2" in ran.outcome
    assert f"kubectl delete pod shop-2 -n {space.name}" in ran.err
    assert f"backout resume statefulset/shop -n {space.name}" in ran.err
    assert REPLACE in ran.err.splitlines()[-2]  # above how to write it up
    assert shop.records()[-1]["state"] == "APPLIED"
    assert names(space) == []
    assert "STUCK_POD" in shop.backout("explain").both
    assert "STUCK_POD" in shop.backout("status", "--patience", "1s").expect(4).both

    done = shop.backout("resume", REPLACE).expect(0)

    assert "Pod shop-2 held the rollback up and was deleted" in done.out
    assert "partitioned roll out complete: 3 new pods have been updated..." in done.out
    assert names(space) == ["shop-2"]
    (record,) = shop.records()
    assert (record["state"], list(record["replaced"])) == ("SUCCEEDED", ["shop-2"])


@pytest.mark.parametrize(
    ("failure", "strategy"),
    [
        pytest.param(f, s, id=f"{f}, {s}", marks=() if (f, s) in LIVE else EVERY_CASE)
        for f in FAILURES
        for s in STRATEGIES
    ],
)
def test_each_cell_that_is_held_up_is_ended_by_one_deletion_within_seconds_of_the_patch(
    space: Space, failure: str, strategy: str
) -> None:
    shop = broken(space, failure, STRATEGIES[strategy])
    # API servers before 1.37 drop `maxUnavailable`; where it is kept, two Pods go at once, and the
    # lower one, which never is Ready, holds up the other.
    at_once = shop.now["spec"]["updateStrategy"]["rollingUpdate"].get("maxUnavailable", 1)
    lowest, bad = f"{SHOP}-{3 - at_once}", space.image(FAILURES[failure][0])
    until("it is broken", lambda: [p["metadata"]["name"] for p in shop.pods(bad)] == [lowest])

    ran = shop.undo(REPLACE).expect(0)

    assert "PF611" in ran.findings()
    assert "PF609" not in ran.findings()
    (deleted,), (patched,) = deletions(space), space.audited("patch", "statefulsets")
    assert deleted["objectRef"]["name"] == lowest
    assert 0 < seconds(deleted) - seconds(patched) < 5
    assert all(p["spec"]["containers"][0]["image"] == space.image("v1") for p in shop.pods())


@pytest.mark.parametrize(
    ("failure", "strategy"),
    [
        pytest.param(f, s, marks=() if (f, s) == ("image missing", "p0") else EVERY_CASE)
        for f in FAILURES
        for s in STRATEGIES
    ],
)
def test_in_parallel_no_cell_is_held_up_and_nothing_is_deleted(
    space: Space, failure: str, strategy: str
) -> None:
    shop = broken(space, failure, STRATEGIES[strategy], "Parallel")

    ran = shop.undo(REPLACE).expect(0)

    assert not {"PF609", "PF611"} & ran.findings()
    assert names(space) == []


@pytest.mark.every_case
def test_a_lower_pod_that_is_not_ready_comes_first_and_the_broken_one_waits(space: Space) -> None:
    """Case A: deleted now it would not come back, and one Pod more would be missing."""
    shop = Gated(space, updateStrategy=PARTITION_0)
    shop.begin()
    shop.build("2")
    until("the bad one", lambda: shop.builds() == ["1", "1", "2"])
    shop.opening("1", but=(0,))
    until("-0 is not Ready", lambda: shop.ready() == ["1"])

    shop.whenever_ready(shop.started("undo", "--yes", REPLACE, "--timeout", "8s")).expect(5)
    assert names(space) == []

    shop.opening("1")
    shop.whenever_ready(shop.started("resume")).expect(0)  # the record knows the flag
    assert names(space) == ["shop-2"]


def test_of_several_broken_pods_the_lowest_goes_first_and_each_waits_for_the_one_before(
    space: Space,
) -> None:
    """Case B."""
    shop = Gated(space, updateStrategy=PARTITION_1)
    shop.begin()
    shop.opening("1", "2")
    shop.build("2")
    until("-2 and -1 are of it", lambda: shop.ready() == ["1", "2", "2"])
    shop.opening("1")
    until("they are broken", lambda: shop.ready() == ["1"])
    shop.change({"updateStrategy": PARTITION_0})

    shop.whenever_ready(shop.started("undo", "--yes", REPLACE)).expect(0)

    assert names(space) == ["shop-1", "shop-2"]
    assert shop.builds() == ["1", "1", "1"]


@EVERY_CASE
def test_what_would_come_back_on_the_bad_template_is_not_deleted_and_the_way_out_works(
    space: Space,
) -> None:
    """Case C: no parameters of the rolling update, and the bad rollout was complete once."""
    shop = Gated(space, updateStrategy={"type": "RollingUpdate"})
    shop.begin()
    shop.opening("1", "2")
    shop.build("2")
    until("it is complete", lambda: shop.ready() == ["2"] * 3)
    until("its controller says so", lambda: shop.now["status"].get("currentReplicas") == 3)
    shop.opening("1")
    until("all are broken", lambda: shop.ready() == [])

    ran = shop.whenever_ready(shop.started("undo", "--yes", REPLACE, "--patience", "1s"))
    ran.expect(4)
    assert "made of the template before again" in ran.outcome
    assert names(space) == []

    patch = '{"spec":{"updateStrategy":{"type":"RollingUpdate","rollingUpdate":{"partition":0}}}}'
    assert patch in ran.err
    shop.kubectl("patch", "statefulset", "shop", "--type=merge", "-p", patch).expect(0)
    shop.whenever_ready(shop.started("resume")).expect(0)
    assert names(space) == ["shop-0", "shop-1", "shop-2"]


@pytest.mark.every_case
def test_a_good_pod_below_the_partition_is_never_deleted(space: Space) -> None:
    """Case D: it is not of the target and not Ready, for a reason of its own."""
    shop = Gated(space, updateStrategy=PARTITION_1)
    shop.begin()
    shop.build("0")
    shop.opening("1", "0")
    until("above the partition", lambda: shop.ready() == ["1", "0", "0"])
    shop.build("2")
    until("the bad one", lambda: shop.builds() == ["1", "0", "2"])
    shop.opening("1", "0", but=(0,))
    until("-0 is not Ready", lambda: shop.ready() == ["0"])

    undo = ("undo", "--yes", REPLACE, "--patience", "1s", "--to-revision", "2")
    ran = shop.whenever_ready(shop.started(*undo)).expect(4)
    assert "below the partition" in ran.outcome
    assert names(space) == []


@pytest.mark.parametrize("line", ["", pytest.param("Pod shop-2 held", marks=EVERY_CASE)])
def test_killed_in_between_it_is_gone_on_with_and_no_pod_is_deleted_twice(
    space: Space, line: str
) -> None:
    shop = broken(space, "image missing", PARTITION_0)
    running = shop.started("undo", "--yes", REPLACE)
    if line:
        running.until(line)
    until("the PATCH has landed", lambda: shop.image == space.image("v1"))
    running.send(signal.SIGKILL)
    running.ended()

    shop.backout("resume").expect(0)  # without the flag: the record knows it

    assert names(space) == ["shop-2"]
    assert all(p["spec"]["containers"][0]["image"] == space.image("v1") for p in shop.pods())
    assert len(space.audited("patch", "statefulsets")) <= 2  # the fence is one, too
