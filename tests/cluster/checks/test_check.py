"""`backout check`: every check of an undo, nothing changed, and an answer for a pipeline."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tests.cluster.checks.test_permissions import RIGHTS, rule, user_with, without
from tests.cluster.command import BACKOUT, run
from tests.cluster.manifests import SHOP

if TYPE_CHECKING:
    from tests.cluster.command import Ran
    from tests.cluster.space import Space

DEPLOY = f"deploy/{SHOP}"


def check(space: Space, *words: str) -> Ran:
    return space.backout("check", DEPLOY, *words)


def unchanging(space: Space) -> dict[str, Any]:
    """Return the Deployment without what its controller writes as the rollout goes on."""
    deployment = space.get()
    volatile = ("resourceVersion", "managedFields")
    metadata = {k: v for k, v in deployment["metadata"].items() if k not in volatile}
    return {"metadata": metadata, "spec": deployment["spec"]}


def test_a_workload_that_could_be_rolled_back_is_told_where_to_and_nothing_is_changed(
    space: Space,
) -> None:
    space.deploy(space.version("v1"))
    space.roll(space.version("missing"))
    before = unchanging(space)
    ran = check(space).expect(0)

    assert ran.outcome.startswith(f"deployment/{SHOP} could be rolled back to revision 1")
    assert "newest other revision with Ready Pods" in ran.out
    assert unchanging(space) == before
    assert space.wrote() == []
    assert space.lease() is None
    assert space.undo().expect(0).outcome.startswith(f"deployment/{SHOP} rolled back")


def test_what_blocks_is_exit_3_with_the_line_of_the_undo_that_goes_on_anyway(space: Space) -> None:
    space.deploy(space.version("v1"))
    space.roll(space.version("missing"))
    space.merge({"spec": {"paused": True}})
    ran = check(space, "-o", "json").expect(3)
    last = ran.events[-1]

    assert last["message"] == f"deployment/{SHOP} would not be rolled back (PF105)"
    assert f"backout undo {DEPLOY}" in last["remedy"]
    assert last["remedy"].endswith("--unpause")
    assert space.wrote() == []


def test_the_number_of_requests_is_told_and_does_not_grow_with_the_pods(space: Space) -> None:
    space.deploy(space.version("v1"), replicas=1)
    space.roll(space.version("v2"), up=True)
    counted = []
    for replicas in (1, 4):
        space.merge({"spec": {"replicas": replicas}})
        space.rolled_out()
        ran = check(space, "-o", "json").expect(0)
        (told,) = [e for e in ran.events if e["event"] == "checked"]
        counted.append(told["requests"])

    assert counted[0] == counted[1]


def test_strict_makes_a_warning_refuse_unless_it_is_accepted(space: Space) -> None:
    space.deploy(space.version("v1"))
    space.roll(space.version("v2"), up=True)
    ran = check(space, "--strict").expect(3)
    line = ran.line("to roll back anyway: ").removeprefix("to roll back anyway: backout ")
    ids = {w for w in line.split() if w.startswith("PF")}

    assert "PF110" in ids
    # Only an undo asks the service before: a check of a healthy one is no question why.
    accepted = [w for one in sorted({*ids, "PF905"}) for w in ("--accept", one)]
    space.undo("--strict", *accepted, "--reason", "known").expect(0)


def test_a_workload_with_nothing_to_go_back_to_is_told(space: Space) -> None:
    space.deploy(space.version("v1"))
    ran = check(space).expect(3)

    assert "PF104" in ran.findings()
    assert "would not be rolled back (PF104)" in ran.outcome


def test_one_that_does_not_exist_is_an_error(space: Space) -> None:
    ran = space.backout("check", "deploy/never-made").expect(1)

    assert ran.err.startswith("ERROR: ")


def rows(ran: Ran) -> dict[str, dict[str, Any]]:
    """Return what was said of each workload, by its name."""
    found = [e for e in ran.events if e["event"] == "workload_checked"]
    return {e["workload"]["name"]: e for e in found}


def three(space: Space) -> None:
    """Deploy three: one that could go back, one that is paused, one that is new."""
    for name in ("api", "paused", "new"):
        space.deploy(space.version("v1"), name=name, serve=False, replicas=0)
    for name in ("api", "paused"):
        space.roll(space.version("v2"), name=name)
    space.merge({"spec": {"paused": True}}, name="paused")
    space.observed("paused")


def test_several_names_are_a_table_worst_first_with_a_last_word(space: Space) -> None:
    three(space)
    ran = space.backout("check", "deploy/api", "deploy/paused", "deploy/new").expect(3)
    head, *lines = ran.out.splitlines()[1:5]

    assert head.split()[:3] == ["NAMESPACE", "WORKLOAD", "NOW"]
    assert [line.split()[1:5] for line in lines] == [
        ["deployment/new", "1", "-", "no"],
        ["deployment/paused", "2", "1", "no"],
        ["deployment/api", "2", "1", "yes"],
    ]
    assert "PF104 nothing to go back to" in lines[0]
    assert "PF105" in lines[1]
    assert ran.outcome.startswith("✗ 1 of 3 workloads could be rolled back; 2 would be refused")
    assert space.wrote() == []


def test_all_of_a_namespace_with_json_is_an_event_each_and_the_outcome(space: Space) -> None:
    three(space)
    ran = space.backout("check", "--all", "-o", "json").expect(3)
    told = rows(ran)

    assert {name: row["answer"] for name, row in told.items()} == {
        "api": "possible",
        "paused": "refused",
        "new": "refused",
    }
    assert (told["api"]["now"], told["api"]["back_to"]) == (2, 1)
    assert told["paused"]["ids"][0] == "PF105"
    assert [f["refuses"] for f in told["paused"]["findings"] if f["id"] == "PF105"] == [True]
    assert ran.events[-2]["event"] == "standing"
    assert ran.events[-2] | {"possible": 1, "refused": 2, "unknown": 0} == ran.events[-2]
    assert ran.events[-1]["exit"] == 3
    lines = [s for s in space.journal_lines() if s["event"] == "workload_checked"]
    assert {s["workload"]["name"] for s in lines} == {"api", "paused", "new"}
    assert len({s["traceID"] for s in lines}) == 1


def test_a_selector_finds_some_of_the_namespace_or_of_the_cluster(space: Space) -> None:
    three(space)
    mine = {"metadata": {"labels": {"backout-test": space.name}}}
    for name in ("api", "new"):
        space.merge(mine, name=name)
    here = space.backout("check", "-l", f"backout-test={space.name}", "-o", "json").expect(3)
    everywhere = run(
        [str(BACKOUT), "check", "-A", "-l", f"backout-test={space.name}", "-o", "json"],
        space.environment,
    ).expect(3)
    none = space.backout("check", "-l", "backout-test=nobody").expect(1)

    assert set(rows(here)) == set(rows(everywhere)) == {"api", "new"}
    assert {r["workload"]["namespace"] for r in rows(everywhere).values()} == {space.name}
    assert rows(here)["api"]["ids"] == rows(everywhere)["api"]["ids"]
    assert "that backout-test=nobody selects: nothing was checked" in none.err


def test_one_that_may_not_be_read_is_a_row_and_hides_no_other(space: Space) -> None:
    three(space)
    verbs = ("get", "list", "watch", "patch")
    one = {**rule("apps", "deployments", *verbs), "resourceNames": ["api"]}
    env = user_with(space, [*without("deployments"), one])
    ran = space.backout("check", "deploy/api", "deploy/new", "-o", "json", env=env).expect(1)
    told = rows(ran)

    assert told["new"]["answer"] == "unknown"
    assert 'cannot get resource "deployments"' in told["new"]["error"]
    assert "resources: [deployments]" in told["new"]["remedy"]
    assert told["api"]["back_to"] == 1
    assert "PF803" not in told["api"]["ids"]


def test_the_rights_of_an_undo_are_enough_to_check_a_namespace(space: Space) -> None:
    three(space)
    env = user_with(space, [*RIGHTS])
    limited = rows(space.backout("check", "--all", "-o", "json", env=env).expect(3))
    whole = rows(space.backout("check", "--all", "-o", "json").expect(3))

    for name in ("api", "paused", "new"):
        assert limited[name]["answer"] == whole[name]["answer"]
    assert {s["id"] for s in limited["api"]["skipped"]} >= {"PF504", "PF903"}
    assert {s["id"] for s in whole["api"]["skipped"]} == {"PF803", "PF804", "PF901"}


def test_a_page_for_a_wall_has_every_workload_worst_first_and_stdout_is_the_page_alone(
    space: Space,
) -> None:
    three(space)
    ran = space.backout("check", "--all", "-o", "html").expect(3)

    assert ran.out.startswith("<!doctype html>")
    assert ran.out.rstrip().endswith("</html>")
    rows = re.findall(rf'<tr id="{space.name}.deployment-(\w+)" class="(\w+)"', ran.out)
    assert [name for name, _ in rows] == ["new", "paused", "api"]
    assert [state for _, state in rows][:2] == ["blocked", "blocked"]
    assert re.search(r'data-label="back to"><b>\d+</b> \w+:v1</td>', ran.out)
    assert "1 of 3 workloads could be rolled back now" in ran.out
    assert ran.err.strip() == "1 of 3 workloads could be rolled back; 2 would be refused"
