from __future__ import annotations

from msgspec.structs import replace

from backout.core.kinds.deployment import DEPLOYMENT
from backout.core.kinds.target import Target
from backout.core.ledger.records import Ledger
from backout.core.preflight.snapshot import Snapshot
from tests.core.values_made import lease, record, snapshot
from tests.objects.deployments import deployment
from tests.objects.pods import pod
from tests.objects.times import NOW


def test_a_snapshot_is_told_without_its_objects() -> None:
    """asyncio.run makes a text of what it returns, whatever its size."""
    made = Snapshot(
        target=Target(kind=DEPLOYMENT, namespace="shop", name="web"),
        workload=deployment(),
        stored=(),
        pods=(pod("web-1"),) * 1000,
        now=NOW,
        is_observed=True,
        neighbours=(deployment(),) * 100,
        lease={"metadata": {}},
    )

    assert len(repr(made)) < 2000
    assert "metadata" not in repr(made)


def operations(made: Snapshot) -> list[str]:
    assert isinstance(made.ledger, Ledger)
    return [one.op for one in made.ledger.records]


def test_what_was_made_of_an_old_lease_is_not_told_of_a_new_one() -> None:
    before = snapshot(lease=lease(record("op-1")))
    assert operations(before) == ["op-1"]

    assert operations(replace(before, lease=lease(record("op-2")))) == ["op-2"]
