"""A real rollback, told afterwards without the cluster."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cluster.space import Space


def test_an_undo_is_told_from_its_journal_without_the_cluster(space: Space) -> None:
    space.deploy(space.version("v1"), replicas=2)
    space.roll(space.version("missing"))
    space.undo("--reason", "INC-7").expect(0)
    elsewhere = {"KUBECONFIG": str(space.folder / "none")}

    space.backout("status", "deploy/shop").expect(0)
    page = space.backout("report", "-o", "html", env=elsewhere).expect(0)
    told = space.backout("report", "deploy/shop", "-o", "json", env=elsewhere).expect(0)

    assert "<title>deployment/shop: rolled back</title>" in page.out
    document = json.loads(told.out)
    assert document["object"]["namespace"] == space.name
    assert document["triggered_to_recovered_seconds"] > 0
    moments = [m["name"] for m in document["moments"]]
    assert moments[1:] == ["triggered", "patched", "rolled out", "recovered", "closed"]
    last = document["replicas"][-1]
    assert (last["wanted"], last["ready"], last["old"]) == (2, 2, 0)
    assert document["digests"]["app"].startswith("sha256:")
    assert document["health"][0]["milliseconds"] > 0
    assert document["commands"][0]["reason"] == "INC-7"
    assert "--reason INC-7" in document["commands"][0]["line"]
    before, after = document["choice"]["source_images"], document["choice"]["images"]
    assert (before["app"].rpartition(":")[2], after["app"].rpartition(":")[2]) == ("missing", "v1")
