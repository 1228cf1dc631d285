"""The rows of generated and of awkward histories, beside what `undo` and kubectl make of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given
from msgspec.structs import replace

from backout.cli.output.words import history_table
from backout.core.history.choice import Choice
from backout.core.history.revisions import kubectl_choice
from backout.core.kinds.replica_sets import EARLIER
from backout.core.ledger.records import Side, State
from backout.core.plan.listing import HistoryRow, HistoryTable, listed
from backout.core.plan.selection import select
from backout.core.preflight.request import Request
from tests.core.history.histories import BARRIER, RESTART, History, histories
from tests.core.values_made import lease, record, snapshot
from tests.objects.deployments import deployment
from tests.objects.pods import pod
from tests.objects.replica_sets import replica_set
from tests.objects.templates import template
from tests.objects.times import NOW, ago


def told(**changes: Any) -> HistoryTable:
    return listed(snapshot(**changes))


def rows(**changes: Any) -> dict[int, HistoryRow]:
    return {r.revision.number: r for r in told(**changes).rows}


@given(histories())
def test_each_revision_has_a_row_and_the_mark_stands_where_undo_would_go(made: History) -> None:
    seen = snapshot(
        workload=made.workload,
        stored=tuple(d.replica_set() for d in made.deployed),
        pods=tuple(p for d in made.deployed for p in d.pods()),
    )
    table, chosen = listed(seen), select(seen, Request())
    marked = [r.revision.number for r in table.rows if r.is_target]

    assert [r.revision for r in table.rows] == list(seen.revisions)
    assert table.kubectl == kubectl_choice(seen.revisions)
    if isinstance(chosen, Choice):
        assert (marked, table.why) == ([chosen.revision.number], chosen.why)
    else:
        assert (marked, table.why) == ([], chosen.message)


def test_when_and_for_how_long_a_revision_was_the_current_one_is_told() -> None:
    there = rows()

    assert there[2].current_from == ago(hours=46)
    assert there[2].current_for == timedelta(hours=1)
    assert there[3].current_for == timedelta(hours=45)


def test_neither_can_be_told_of_a_number_that_was_used_again_nor_across_a_gap() -> None:
    again = replica_set(3, notes={EARLIER: "1"})
    there = rows(stored=(replica_set(1), again))

    assert (there[3].current_from, there[3].current_for) == (None, None)
    assert (there[1].current_from, there[1].current_for) == (ago(hours=47), None)
    assert history_table.cells(there[3], NOW)[3:5] == ("?", "?")
    assert "was 1" in history_table.status(there[3])


def test_where_it_is_only_known_that_a_revision_had_another_number_that_is_said() -> None:
    one = rows()[3]
    renumbered = replace(one, revision=replace(one.revision, earlier=("",)))

    assert history_table.status(renumbered) == "now; had another number"
    assert history_table.as_json(renumbered)["earlier"] == []


def test_of_a_tie_and_of_equal_templates_one_alone_is_current() -> None:
    tie = replica_set(3, "reg.example/app:v9", name="web-tie", created=ago(hours=1))
    twin = replica_set(5, "reg.example/app:v3", name="web-twin", created=ago(hours=1))
    table = told(stored=(replica_set(2), replica_set(3), tie, twin))

    assert [r.revision.number for r in table.rows] == [5, 3, 3, 2]
    assert [r.revision.number for r in table.rows if r.revision.is_current] == [3]


def test_what_others_own_is_no_revision_and_one_without_a_number_has_a_dash() -> None:
    foreign = replica_set(4, owner="uid-of-another")
    broken = replica_set("x", "reg.example/app:v7", name="web-x")
    table = told(stored=(replica_set(2), replica_set(3), foreign, broken))
    numbers = [history_table.cells(r, NOW)[1] for r in table.rows]

    assert numbers == ["3", "2", "-"]
    assert history_table.as_json(table.rows[-1])["revision"] is None


def test_without_annotation_a_revision_is_number_0_as_kubectl_has_it() -> None:
    table = told(stored=(replica_set(None, "reg.example/app:v0"), replica_set(3)))

    assert [r.revision.number for r in table.rows] == [3, 0]
    assert table.kubectl == 0


def test_with_limits_that_leave_nothing_it_says_why_undo_would_go_nowhere() -> None:
    v3 = template("reg.example/app:v3")
    for limit in (0, 1):
        workload = deployment(v3, revisionHistoryLimit=limit)
        table = told(stored=(replica_set(3),), workload=workload)

        assert table.choice is None
        assert f"revisionHistoryLimit is {limit}" in history_table.notes(table)[0]
    assert "no rollout history" in history_table.notes(told(stored=()))[0]


def test_a_paused_workload_has_the_same_history() -> None:
    paused = deployment(template("reg.example/app:v3"), paused=True)

    assert told(workload=paused).rows == told().rows


def test_a_template_that_no_revision_has_yet_is_said() -> None:
    fresh = told(workload=deployment(template("reg.example/app:v9")), is_observed=False)

    assert not any(r.revision.is_current for r in fresh.rows)
    assert history_table.notes(fresh)[0] == history_table.UNOBSERVED
    assert history_table.summary(fresh)["current"] is None


def test_what_the_ledger_and_the_template_say_of_a_revision_stands_in_its_status() -> None:
    barred = replica_set(2)
    barred["spec"]["template"]["metadata"]["annotations"] = {BARRIER: "schema 39"}
    restarted = replica_set(1, "reg.example/app:v3")
    restarted["spec"]["template"]["metadata"]["annotations"] = {RESTART: "monday"}
    hashes = {r.number: r.hash for r in snapshot(stored=(barred, replica_set(3))).revisions}
    bad = record(source=Side(revision=2, hash=hashes[2]), destination=Side(revision=8, hash="h"))
    there = rows(stored=(barred, restarted, replica_set(3)), lease=lease(bad))

    assert history_table.status(there[2]).startswith("bad: ann rolled back from it, ")
    assert "barrier: schema 39" in history_table.status(there[2])
    assert history_table.status(there[1]) == "only restarts what runs now"
    assert history_table.as_json(there[1])["onlyRestarts"] is True


def test_the_digest_that_ready_pods_run_stands_behind_the_tag() -> None:
    digest = "b" * 64
    ran = {"name": "app", "imageID": f"reg.example/app@sha256:{digest}"}
    seen = pod("web-2-a", of="web-2", containers=[ran], spec=template("reg.example/app:v2")["spec"])
    there = rows(pods=(seen,))

    assert history_table.cells(there[2], NOW)[6] == f"app:v2@{digest[:12]}"
    assert digest in history_table.cells(there[2], NOW, is_wide=True)[6]
    assert there[2].is_target


def test_rollbacks_are_told_with_the_numbers_of_then_and_of_now() -> None:
    hashes = {r.number: r.hash for r in snapshot().revisions}
    one = record(
        source=Side(revision=4, hash="gone"),
        destination=Side(revision=1, hash=hashes[3]),
        state=State.SUCCEEDED,
        health="Healthy",
    )
    table = told(lease=lease(one))
    (line,) = history_table.rollbacks(table)

    assert "4 (gone) -> 1 app:v3 (now numbered 3), healthy, by ann: checkout is down" in line
    assert one.trace_id in line
    assert "already rolled back to revision 1 (now revision 3)" in history_table.notes(table)[0]
    assert history_table.summary(table)["rollbacks"][0]["toNow"] == 3


def test_what_could_not_be_read_is_said() -> None:
    broken = told(lease=lease(text="{"))

    assert any(line.startswith("not read: ledger: ") for line in history_table.notes(broken))
