"""History and difference on a real cluster, beside kubectl's own history."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.cluster.checks.test_permissions import rule, user_with
from tests.cluster.command import BACKOUT, run

if TYPE_CHECKING:
    from tests.cluster.space import Space


def by_kubectl(space: Space) -> dict[int, str]:
    """Return what `kubectl rollout history` says: change-causes by number, the newest first."""
    out = space.kubectl("rollout", "history", "deployment/shop").expect(0).out
    rows = [line.split(maxsplit=1) for line in out.splitlines() if line[:1].isdigit()]
    causes = {int(number): cause for number, cause in rows}
    return {n: "" if causes[n] == "<none>" else causes[n] for n in sorted(causes, reverse=True)}


def by_backout(space: Space) -> dict[int, str]:
    rows = space.backout("history", "deploy/shop", "-o", "json").expect(0).events[:-1]
    return {row["revision"]: row["changeCause"] for row in rows}


def test_numbers_and_causes_are_those_of_kubectls_history(space: Space) -> None:
    space.deploy(space.version("v1"), cause="first", revisionHistoryLimit=2)
    assert by_backout(space) == by_kubectl(space) == {1: "first"}

    space.roll(space.version("v2"), cause="second", up=True)
    space.roll(space.version("v2", env={"MORE": "1"}), up=True)
    space.kubectl("rollout", "undo", "deployment/shop", "--to-revision=1").expect(0)
    space.rolled_out()
    assert by_backout(space) == by_kubectl(space)
    assert next(iter(by_backout(space).items())) == (4, "first")

    space.kubectl("rollout", "pause", "deployment/shop").expect(0)
    space.merge({"spec": {"revisionHistoryLimit": 0}})
    space.observed()
    assert by_backout(space) == by_kubectl(space)


def test_who_may_only_read_sees_what_to_choose_from_and_what_would_change(space: Space) -> None:
    space.deploy(space.version("v1"))
    space.roll(space.version("missing", env={"CRASH": "hunter2"}))
    env = user_with(
        space,
        [
            rule("apps", "deployments", "get"),
            rule("apps", "replicasets", "list"),
            rule("", "pods", "list"),
            rule("coordination.k8s.io", "leases", "get"),
        ],
    )
    history = space.backout("history", "deploy/shop", env=env).expect(0)
    diff = space.backout("diff", "deploy/shop", env=env).expect(0)

    assert "undo would go to revision 1: newest other revision with Ready Pods" in history.out
    assert "not read" not in history.both
    assert "  image app:missing -> app:v1\n  env CRASH removed\n" in diff.out
    assert "hunter2" not in diff.both


def test_the_json_patch_of_diff_is_what_the_api_server_takes(space: Space) -> None:
    space.deploy(space.version("v1"))
    space.roll(space.version("missing", env={"CRASH": "1"}))
    patch = space.backout("diff", "deploy/shop", "-o", "json", "--show-values").expect(0).out
    (space.folder / "patch.json").write_text(patch)
    file = str(space.folder / "patch.json")
    space.kubectl("patch", "deployment/shop", "--type=json", "--patch-file", file).expect(0)
    space.observed()

    rows = space.backout("history", "deploy/shop", "-o", "json").expect(0).events
    assert [(r["revision"], r["current"], r["earlier"]) for r in rows[:-1]] == [
        (3, True, ["1"]),
        (2, False, []),
    ]


def test_a_rollback_is_told_with_the_number_that_its_revision_has_now(space: Space) -> None:
    space.deploy(space.version("v1"))
    space.roll(space.version("missing"))
    ran = space.undo("--reason", "INC-9").expect(0)
    ledger = space.backout("ledger", "deploy/shop").expect(0).out
    trace = str(space.records()[0]["traceID"])
    reported = space.backout("report", trace[:8], "-o", "json").expect(0).out

    assert ran.outcome.startswith("deployment/shop rolled back to revision 1, now revision 3; ")
    assert "2 app:missing   1 app:v1 (now numbered 3)   healthy" in ledger
    assert trace[:8] in ledger
    assert "INC-9" in ledger
    assert json.loads(reported)["trace_id"] == trace


def test_names_that_do_not_exist_get_their_neighbour(space: Space) -> None:
    space.deploy(space.version("v1"), serve=False)
    name = space.backout("ledger", "deploy/shpo").expect(1)
    argv = [str(BACKOUT), "history", "deploy/shop", "-n", f"{space.name}x"]
    where = run(argv, space.environment).expect(1)

    assert "did you mean deployment/shop?" in name.err
    assert f"there is no namespace {space.name}x" in where.err
    assert f"did you mean -n {space.name}?" in where.err
