"""What stands at the top of a report, from the journal of a rollback that was gone on with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from backout.cli.output.reports import words
from backout.cli.output.reports.causes import causes
from backout.cli.output.reports.page import incident_page
from backout.core.events.lines import Line, read
from backout.core.events.told import RunEnded
from backout.core.report import incidents, runs, timeline

if TYPE_CHECKING:
    from backout.core.report.incident import Incident

JOURNALS = Path(__file__).parents[3] / "core" / "report" / "journals"


def told(name: str) -> Incident:
    lines = runs.parse((JOURNALS / f"{name}.jsonl").read_bytes()).lines
    [run] = incidents.incidents(runs.runs(lines))
    return timeline.incident(run)


def line(second: float, event: str, **fields: Any) -> Line:
    return read({"time": f"2026-01-01T00:00:{second:06.3f}+00:00", "event": event, **fields})


def failed(message: str, *, is_final: bool = False, result: str = "failed") -> Incident:
    cause = {"code": "CRASH_LOOP", "message": "Pod web-1: it ends with exit 3", "final": is_final}
    lines = [line(0, "triggered"), line(1, "cause", **cause)]
    return timeline.incident([*lines, line(2, "outcome", result=result, message=message)])


def test_the_numbers_say_how_long_it_was_down_and_that_it_did_not_recover() -> None:
    found = [(one.name, one.value, one.note) for one in words.figures(told("resumed"))]

    assert found == [
        ("Service down", "1 min 22 s", "as far as seen; not up again"),
        ("Trigger to recovered", "not recovered", "watched for 1 min 20 s"),
        ("Revision", "12 → 11", ""),
        ("Health", "Unhealthy", ""),
    ]


def test_why_what_where_and_by_whom() -> None:
    assert words.facts(told("resumed")) == [
        ("Reason", "INC-4711: checkout answers 500"),
        ("Image of app", "shop:v12-hasty → shop:v11"),
        ("Image of proxy", "envoy:1.30"),
        ("By", "alice on laptop-7; bob on ci-3"),
        ("Where", "namespace shop, cluster eks-prod"),
    ]


def test_each_command_is_there_and_of_an_older_journal_its_name() -> None:
    first, second = words.commands(told("resumed"))

    assert first.startswith("backout undo deploy/web -n shop --reason 'INC-4711: checkout")
    assert second == "backout resume deploy/web -n shop"
    assert words.commands(told("healthy")) == ["backout undo"]


def test_the_headline_has_the_end_of_a_query_and_the_page_all_of_it() -> None:
    incident = told("resumed")
    lead = words.lead(incident)

    assert '…vice="web"}[1m])) < 0.05 did not hold: 0.205 at last' in lead
    assert len(lead) <= words.LEAD
    assert incident_page(incident).count("(1 min 20 s)") == 3


def test_the_alert_of_this_workload_comes_first() -> None:
    first, second = told("resumed").alerts

    assert words.alert(first) == (
        "HighErrorRate (this workload) was firing since 2026-11-25 13:51:12 UTC: "
        "deployment=web, severity=page, team=checkout"
    )
    assert words.alert(second).startswith("NodeFull was firing since")


def test_a_cause_of_many_pods_is_told_once() -> None:
    [one] = causes(told("resumed"))

    assert one.message == "5 Pods: readiness probe of container app fails: connection refused"
    assert one.weight.word == "blamed by the verdict"


@pytest.mark.parametrize(
    ("incident", "word"),
    [
        (failed("it failed: it ends with exit 3"), "blamed by the verdict"),
        (failed("it failed: CRASH_LOOP"), "blamed by the verdict"),
        (failed("it failed: no answer"), "suspected"),
        (failed("time was up: it ends with exit 3", result="undecided"), "suspected"),
        (failed("healthy", result="succeeded"), "passed"),
        (failed("it failed", is_final=True), "certain"),
    ],
)
def test_a_cause_weighs_what_the_verdict_made_of_it(incident: Incident, word: str) -> None:
    assert [one.weight.word for one in causes(incident)] == [word]


def test_the_story_is_shorter_than_the_journal_that_is_folded_below_it() -> None:
    incident = told("resumed")
    page = incident_page(incident)
    story, _, whole = page.partition("<h2>Timeline</h2>")[2].partition("<details>")

    assert f"All {len(words.told(incident))} lines of the journal" in whole
    assert "does not hold" not in story
    assert whole.count("does not hold") == 20
    assert "rollback triggered for deployment/web" in story


def test_a_run_that_changed_nothing_is_no_incident() -> None:
    assert words.kind(told("refused")) == "Report of a run"
    assert words.kind(told("healthy")) == "Incident report"


def test_the_result_is_the_last_word_and_the_exit_code_stands_with_the_ids() -> None:
    incident = told("resumed")

    assert words.badge(incident).word == "failed"
    assert ("Exit code", "4") in words.ids(incident)
    assert [v for n, v in words.ids(incident) if n == "Trace id"] == ["1" * 32, "2" * 32]


def test_an_older_end_without_a_result_is_no_end() -> None:
    [run] = runs.runs(runs.parse((JOURNALS / "healthy.jsonl").read_bytes()).lines)
    cut = [one for one in run if not isinstance(one.event, RunEnded)]
    again = [*cut, replace(run[-1], event=replace(run[-1].event, result=""))]

    assert words.badge(timeline.incident(cut)).word == "no end recorded"
    assert words.badge(timeline.incident(again)).word == "no end recorded"
