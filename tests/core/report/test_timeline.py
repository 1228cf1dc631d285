"""A recorded journal, and what its report is made of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from backout.core.events.lines import read
from backout.core.report import runs, timeline
from backout.core.report.incident import as_json

if TYPE_CHECKING:
    from backout.core.report.incident import Incident

JOURNALS = Path(__file__).parent / "journals"
OBJECT = {"cluster": "c", "kind": "Deployment", "namespace": "shop", "name": "web"}


def told(name: str) -> Incident:
    lines = runs.parse((JOURNALS / f"{name}.jsonl").read_bytes())
    [run] = runs.runs(lines.lines)
    return timeline.incident(run, lines.gaps)


def line(event: str, second: float = 0, **fields: Any) -> dict[str, Any]:
    at = f"2026-01-01T00:00:{second:06.3f}+00:00"
    shared = {"traceID": "t1", "object": OBJECT, "op": "o1"}
    return {"time": at, "event": event, "message": f"about {event}", **shared, **fields}


def made(*lines: dict[str, Any]) -> Incident:
    return timeline.incident([read(one) for one in lines])


def names(incident: Incident) -> list[str]:
    return [m.name for m in incident.moments]


def test_a_healthy_rollback_is_told_from_the_trigger_to_recovery() -> None:
    incident = told("healthy")

    assert names(incident) == [
        "started",
        "triggered",
        "patched",
        "rolled out",
        "recovered",
        "closed",
    ]
    assert incident.title == "deployment/shop"
    assert (incident.choice.source, incident.choice.revision) == ("3", "1")
    assert incident.choice.why == "newest other revision with Ready Pods (3 now)"
    assert incident.choice.passed_over[0].startswith("passed over: revision 2")
    assert incident.recovery == pytest.approx(3.517)
    assert [h.answer for h in incident.health] == ["well"] * 4
    assert all(h.milliseconds is not None for h in incident.health)
    assert (incident.replicas[-1].ready, incident.replicas[-1].old) == (3, 0)
    assert incident.digests["app"].startswith("sha256:")
    assert (incident.ended.result, incident.ended.exit, incident.ended.health) == (
        "succeeded",
        0,
        "Healthy",
    )
    assert (incident.command, incident.actor) == ("undo", "root (as admin)")
    assert incident.gaps == ()


def test_a_refusal_has_its_block_and_was_never_triggered() -> None:
    incident = told("refused")

    assert names(incident) == ["started", "closed"]
    assert incident.recovery is None
    assert [(f.id, f.severity) for f in incident.findings] == [("PF101", "BLOCK")]
    assert incident.ended.result == "refused"
    assert incident.rows[0].seconds == 0


def test_a_failure_has_its_cause_once_and_the_last_words_of_its_container() -> None:
    incident = told("failed")

    assert [(c.code, c.final) for c in incident.causes] == [("CRASH_LOOP", True)]
    assert "NOT_SET_BY_THE_NEW_TEMPLATE is not set" in incident.logs[0].lines[-1]
    assert "recovered" not in names(incident)
    assert incident.recovery is None
    assert incident.ended.exit == 4


def test_what_logs_said_is_told_once_however_often_it_was_read() -> None:
    same = line("logs", 1, lines=["v1 starts"]), line("logs", 5, lines=["v1 starts"])
    more = line("logs", 9, lines=["v1 starts", "panic"])

    assert [one.lines for one in made(*same, more).logs] == [("v1 starts",), ("v1 starts", "panic")]


def test_an_interruption_is_rolled_out_but_not_recovered() -> None:
    incident = told("interrupted")

    assert "rolled out" in names(incident)
    assert "recovered" not in names(incident)
    assert (incident.ended.result, incident.ended.exit) == ("interrupted", 130)


def test_an_end_that_was_never_written_is_none() -> None:
    incident = made(line("context"), line("triggered", 1))

    assert incident.ended.result == ""
    assert incident.ended.exit is None


def test_kinds_that_are_not_known_are_kept_as_rows() -> None:
    incident = made(line("context"), line("weather", 2, firing=["HighLatency"]))

    assert (incident.rows[1].kind, incident.rows[1].seconds) == ("weather", 2.0)
    assert incident.rows[1].fields == {"firing": ["HighLatency"]}


def test_a_metric_is_a_value_at_a_moment() -> None:
    incident = made(
        line("triggered", 1),
        line("metric", 3, metric="errors", value=0.25, threshold=0.1),
        line("metric", 4, metric="errors", value="none"),
    )

    assert [(m.seconds, m.value, m.threshold) for m in incident.metrics] == [(2.0, 0.25, 0.1)]


def test_an_acceptance_keeps_its_reason() -> None:
    accepted: dict[str, Any] = {
        "id": "PF401",
        "severity": "BLOCK",
        "accepted": True,
        "reason": "INC-7",
    }
    incident = made(line("finding", **accepted))

    assert (incident.findings[0].accepted, incident.findings[0].reason) == (True, "INC-7")


def test_the_reason_the_whole_command_the_images_and_the_alerts_are_told() -> None:
    labels = {"alertname": "Errors", "severity": "page"}
    incident = made(
        line("context", command="undo", line="backout undo deploy/web", reason="INC-7"),
        line("workload", revision=3, images={"app": "web:v3"}),
        line("target", revision=1, images={"app": "web:v1"}),
        line(
            "alerts",
            1,
            alerts=[
                {"name": "Slow", "workload": False, "labels": "none", "since": 7},
                {"name": "Errors", "workload": True, "labels": labels, "since": "2025-12-31"},
            ],
        ),
    )

    assert incident.reason == "INC-7"
    assert incident.commands[0].line == "backout undo deploy/web"
    assert (incident.choice.source_images, incident.choice.images) == (
        {"app": "web:v3"},
        {"app": "web:v1"},
    )
    assert [(a.name, a.since, a.is_about) for a in incident.alerts] == [
        ("Errors", "2025-12-31", True),
        ("Slow", "", False),
    ]
    assert incident.alerts[0].summary == "severity=page"


def test_only_the_last_plans_findings_count_where_one_went_stale() -> None:
    incident = made(
        line("target", revision=1),
        line("finding", id="PF110", severity="WARN"),
        line("target", 1, revision=2),
        line("finding", 1, id="PF303", severity="WARN"),
    )

    assert incident.choice.revision == "2"
    assert [f.id for f in incident.findings] == ["PF303"]


@pytest.mark.parametrize("wrong", [None, 7, "x", ["x"], {"a": 1}, True, 1e999, -(10**400)])
def test_fields_of_other_types_stop_nothing(wrong: Any) -> None:
    kinds = {
        "replicas": ("wanted", "updated", "ready", "available", "old", "old_ready"),
        "health": ("answer", "status", "subject", "milliseconds"),
        "metric": ("metric", "value", "threshold"),
        "finding": ("id", "severity", "detail", "remedy", "accepted", "reason"),
        "skipped": ("ids",),
        "cause": ("code", "evidence", "remedy", "final"),
        "logs": ("lines",),
        "target": ("revision", "why", "proven", "images"),
        "rolled_out": ("images",),
        "outcome": ("result", "exit", "verdict", "health", "remedy"),
        "context": ("server", "context", "actor", "host", "command", "line", "reason"),
        "alerts": ("alerts",),
        "baseline": ("subject", "answer", "status", "milliseconds"),
        "workload": ("revision", "images"),
    }
    incident = made(*(line(k, **dict.fromkeys(names, wrong)) for k, names in kinds.items()))

    assert len(incident.rows) == len(kinds)


def test_the_document_is_json_and_names_its_schema() -> None:
    incident = told("healthy")
    document = json.loads(json.dumps(as_json(incident)))

    assert document["schema"] == "backout.dev/incident/v1"
    assert document["triggered_to_recovered_seconds"] == incident.recovery
    assert document.keys() >= {*incident.__struct_fields__}
