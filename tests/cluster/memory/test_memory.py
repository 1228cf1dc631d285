"""What people and rollbacks write into the memory, and what an undo makes of it."""

from __future__ import annotations

import json
import shlex
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import images
from tests.cluster.command import BECAUSE
from tests.cluster.manifests import SHOP

if TYPE_CHECKING:
    from tests.cluster.space import Space

DEPLOY = f"deploy/{SHOP}"


def memory(space: Space) -> dict[int, dict[str, Any]]:
    lease = space.lease()
    assert lease is not None
    ledger = json.loads(lease["metadata"]["annotations"]["backout.dev/ledger"])
    return {one["revision"]: one for one in ledger["memory"].values()}


def three_versions(space: Space, **version: Any) -> None:
    """Revisions 1 and 2 were up once; 3 hangs while 2 still runs."""
    space.deploy(space.version("v1", **version))
    space.roll(space.version("v2", **version), up=True)
    space.roll(space.version("missing", **version))


def test_a_revision_that_was_marked_bad_is_passed_over_although_its_pods_run(space: Space) -> None:
    three_versions(space)
    words = ("--bad", "--revision", "2", "--reason", "INC-7: leaks")
    marked = space.backout("ledger", "mark", DEPLOY, *words).expect(0)
    ran = space.undo().expect(0)

    assert marked.outcome == "revision 2 of deployment/shop is marked bad"
    assert "not chosen: revision 2, known to be bad: marked by " in ran.out
    assert "INC-7: leaks" in ran.out
    assert space.image_now() == space.image("v1")


@pytest.mark.every_case
def test_what_is_known_of_a_revision_outlives_a_field_that_nobody_wrote_but_no_edit_of_it(
    space: Space,
) -> None:
    """What an API server with a new default does when it reads, done here by hand."""
    three_versions(space)
    words = ("--bad", "--revision", "2", "--reason", "INC-7: leaks")
    space.backout("ledger", "mark", DEPLOY, *words).expect(0)
    filled_in = {"spec": {"template": {"spec": {"shareProcessNamespace": False}}}}
    # Else the controller meets a Deployment of which no ReplicaSet has the template any more.
    space.merge({"spec": {"paused": True}})
    space.observed()
    for replica_set in space.revisions().values():
        space.merge(filled_in, kind="ReplicaSet", name=replica_set["metadata"]["name"])
    space.merge(filled_in)
    space.observed()
    space.merge({"spec": {"paused": False}})
    space.observed()
    upgraded = space.undo("--dry-run").expect(0)

    assert sorted(space.revisions()) == [1, 2, 3]
    assert "not chosen: revision 2, known to be bad: marked by " in upgraded.out

    second = space.revisions()[2]
    edited = {"spec": {"template": {"metadata": {"annotations": {"hotfix": "yes"}}}}}
    space.merge(edited, kind="ReplicaSet", name=second["metadata"]["name"])
    assert "target   revision 2 (" in space.undo("--dry-run").expect(0).out


@pytest.mark.every_case
def test_a_revision_that_was_marked_healthy_is_preferred_to_a_newer_one_without_proof(
    space: Space,
) -> None:
    space.deploy(space.version("v1"))
    words = ("--healthy", "--reason", "smoke tests passed")
    space.backout("ledger", "mark", DEPLOY, *words).expect(0)
    space.roll(space.version("v2", probe="/not-there"))
    space.roll(space.version("missing"))
    space.merge({"spec": {"replicas": 0}})
    ran = space.undo("--dry-run").expect(0)

    assert "newest other revision recorded healthy" in ran.out
    assert "PF110" not in ran.findings()
    told = space.backout("ledger", DEPLOY).expect(0)
    assert "revision 1 app:v1 is good: recorded healthy" in told.out
    assert "smoke tests passed" in told.out


@pytest.mark.every_case
def test_going_back_to_a_known_bad_revision_is_warned_about_and_possible(space: Space) -> None:
    space.deploy(space.version("v1"))
    space.roll(space.version("v2"), up=True)
    space.undo(*BECAUSE).expect(0)
    refused = space.undo("--to-revision", "2").expect(3)
    ran = space.undo("--to-revision", "2", *BECAUSE).expect(0)

    assert "PF906" in refused.findings()
    assert "PF109" in ran.findings()
    assert space.image_now() == space.image("v2")


def test_recorded_health_holds_the_digest_that_ran_and_the_versions_of_what_is_named(
    space: Space,
) -> None:
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}}
    made = space.create({**settings, "data": {"a": "1"}})
    three_versions(space, container={"envFrom": [{"configMapRef": {"name": "settings"}}]})
    space.undo().expect(0)

    good = memory(space)[2]
    assert good["images"] == {"app": images.manifest_digest("app", "v2")}
    assert good["references"] == {"ConfigMap/settings": made["metadata"]["resourceVersion"]}
    assert good["lastHealthyAt"] is not None
    assert memory(space)[3]["bad"]["why"].endswith(" rolled back from it")
    [record] = space.records()
    assert record["to"]["images"] == good["images"]

    space.roll(space.version("v1"), up=True)
    space.kubectl("patch", "configmap", "settings", "-p", '{"data": {"a": "2"}}').expect(0)
    checked = space.backout("check", DEPLOY, "--to-revision", "4").expect(0)
    assert "PF203" in checked.findings()
    assert "the version that the ledger remembers" in checked.both


def test_ledgers_are_listed_by_namespace_and_for_the_whole_cluster(space: Space) -> None:
    three_versions(space)
    space.undo().expect(0)
    here = space.backout("ledger").expect(0)
    everywhere = space.backout("ledger", "--all-namespaces", "-o", "json").expect(0)

    assert here.out.splitlines()[0].split() == [
        *("NAMESPACE", "WORKLOAD", "LAST", "ROLLBACK", "FROM", "TO", "RESULT", "BY", "LOCK")
    ]
    (row,) = here.out.splitlines()[1:]
    assert row.split()[:2] == [space.name, "deployment/shop"]
    (mine,) = [e for e in everywhere.events if e["namespace"] == space.name]
    assert mine["ledger"]["records"][0]["state"] == "SUCCEEDED"


def test_a_rollback_by_kubectl_is_told_and_counts_for_the_breaker(space: Space) -> None:
    three_versions(space)
    space.kubectl("rollout", "undo", DEPLOY).expect(0)
    space.rolled_out()
    ran = space.undo("--to-revision", "1", "--dry-run", *BECAUSE).expect(0)
    refused = space.undo("--to-revision", "1", "--rollback-limit", "1", *BECAUSE).expect(3)

    assert "PF806" in ran.findings()
    assert "rolled back without backout once" in ran.err
    assert "the newest counts towards the limit: kubectl wrote it" in ran.err
    assert "ERROR: rollback rate limit exceeded — manual intervention required" in refused.err
    assert "by kubectl, without backout" in refused.err


def test_the_patch_that_is_handed_over_does_what_it_says_once_and_only_once(space: Space) -> None:
    """The holder of the lock stands still; somebody else runs the line with the real kubectl."""
    three_versions(space)
    space.undo("--dry-run").expect(0)
    started = space.start_undo("--wait-lock", "1s")
    ran = started.ended().expect(0)
    space.roll(space.version("missing-too"))
    lease = space.lease()
    assert lease is not None
    ledger = json.loads(lease["metadata"]["annotations"]["backout.dev/ledger"])
    op, hashes = "f" * 32, [space.records()[-1]["to"], _current(space)]
    intent = {
        **ledger["records"][-1],
        "op": op,
        "state": "INTENT",
        "from": hashes[1],
        "to": hashes[0],
        "closedAt": None,
    }
    _hold(space, {**ledger, "records": [*ledger["records"], intent]}, op)
    refused = space.undo("--rollback-limit", "9").expect(3)
    (line,) = [s for s in refused.err.splitlines() if s.startswith("kubectl patch ")]
    words = shlex.split(line)
    first, second = (_run(space, words) for _ in range(2))

    assert "PF802" in refused.findings(), str(ran)
    assert first.returncode == 0, first.stderr
    assert space.image_now() == space.image("v2")
    assert second.returncode != 0
    assert "the object has been modified" in second.stderr


def _current(space: Space) -> dict[str, Any]:
    """Return the side that a dry run would leave: told by the memory of a mark."""
    space.backout("ledger", "mark", DEPLOY, "--bad", "--reason", "x").expect(0)
    lease = space.lease()
    assert lease is not None
    ledger = json.loads(lease["metadata"]["annotations"]["backout.dev/ledger"])
    newest = max(ledger["memory"].items(), key=lambda item: item[1]["revision"])
    generation = space.get()["metadata"]["generation"]
    return {
        "revision": newest[1]["revision"],
        "hash": newest[0],
        "images": {},
        "generation": generation,
    }


def _hold(space: Space, ledger: dict[str, Any], op: str) -> None:
    lease = space.lease()
    assert lease is not None
    body = {
        "metadata": {"annotations": {"backout.dev/ledger": json.dumps(ledger)}},
        "spec": {"holderIdentity": op, "renewTime": "2099-01-01T00:00:00.000000Z"},
    }
    space.merge(body, kind="Lease", name=lease["metadata"]["name"])


def _run(space: Space, words: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words,
        env=space.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
