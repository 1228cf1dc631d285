"""Which runs are one incident, and which incident is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from backout.core.events.lines import Line, read
from backout.core.report import incidents, runs, timeline
from backout.core.report.runs import WantedRun

if TYPE_CHECKING:
    from collections.abc import Sequence

WEB = {"cluster": "c", "kind": "Deployment", "namespace": "shop", "name": "web"}
API = {**WEB, "name": "api"}


def line(event: str, run: str = "1", about: dict[str, str] = WEB, **fields: Any) -> Line:
    """A line of the run whose trace id is `t…` and whose operation is `o…`."""
    time = "2026-01-01T00:00:00.000+00:00"
    shared = {"traceID": f"t{run}", "object": about, "op": f"o{run}"}
    return read({"time": time, "event": event, **shared, **fields})


def undo(run: str, *, result: str = "succeeded", **about: Any) -> list[Line]:
    began = line("context", run, command="undo", **about)
    return [began, line("triggered", run, **about), line("outcome", run, result=result, **about)]


def killed(run: str) -> list[Line]:
    return undo(run)[:2]


def check(run: str, **about: Any) -> list[Line]:
    began = line("context", run, command="check", **about)
    return [began, line("outcome", run, result="succeeded", **about)]


def resume(run: str, *, of: str, event: str = "resumed", result: str = "succeeded") -> list[Line]:
    began = line("context", run, command="resume")
    taken = line(event, run, resumed=f"o{of}", recovered=f"o{of}")
    return [began, taken, line("outcome", run, result=result)]


def found(*given: Sequence[Line]) -> list[list[Line]]:
    return incidents.incidents(runs.runs([one for run in given for one in run]))


def traces(lines: Sequence[Line] | None) -> list[str]:
    return list(dict.fromkeys(one.about.trace_id for one in lines or ()))


def test_an_undo_and_its_resumes_are_one_incident_and_it_is_as_new_as_the_last_of_them() -> None:
    there = found(killed("1"), undo("2"), resume("3", of="1", result="interrupted"), check("4"))
    again = found(killed("1"), undo("2"), resume("3", of="1")[:2], resume("4", of="1"))

    assert [traces(one) for one in there] == [["t2"], ["t1", "t3"], ["t4"]]
    assert [traces(one) for one in again] == [["t2"], ["t1", "t3", "t4"]]


def test_a_resume_that_closes_the_record_belongs_to_it_and_an_undo_that_does_so_does_not() -> None:
    closed = resume("2", of="1", event="recovered", result="undecided")
    on_its_way = undo("3")
    on_its_way.insert(1, line("recovered", "3", recovered="o1"))

    assert [traces(one) for one in found(killed("1"), closed)] == [["t1", "t2"]]
    assert [traces(one) for one in found(killed("1"), on_its_way)] == [["t1"], ["t3"]]


def test_a_resume_of_what_another_journal_holds_is_an_incident_of_its_own() -> None:
    assert [traces(one) for one in found(undo("1"), resume("2", of="9"))] == [["t1"], ["t2"]]


def test_lines_without_an_operation_are_nobody_s_resume() -> None:
    told = read({"time": "2026-01-01T00:00:00+00:00", "event": "note", "traceID": "t8"})

    assert [traces(one) for one in found(undo("1"), [told], undo("2"))] == [["t1"], ["t8"], ["t2"]]


@pytest.mark.parametrize(
    ("newer", "trace"),
    [
        (check("2"), "t1"),
        (undo("2", result="refused"), "t1"),
        (undo("2", result="not changed"), "t1"),
        (undo("2", result="failed"), "t2"),
        (killed("2"), "t2"),
        (resume("2", of="9"), "t2"),
    ],
)
def test_the_newest_that_changed_something_is_told(newer: list[Line], trace: str) -> None:
    there = found(undo("1"), newer)

    assert traces(incidents.choose(there, WantedRun())) == [trace]
    assert traces(incidents.choose(there, WantedRun(kind="Deployment", name="web"))) == [trace]
    assert traces(incidents.choose(there, WantedRun(is_any=True))) == ["t2"]


def test_where_nothing_was_changed_the_newest_is_told() -> None:
    there = found(check("1"), undo("2", result="refused"))

    assert traces(incidents.choose(there, WantedRun())) == ["t2"]


@pytest.mark.parametrize(
    ("wanted", "is_there"),
    [
        (WantedRun(), True),
        (WantedRun(record="t1"), True),
        (WantedRun(record="o1"), True),
        (WantedRun(record="o2"), True),
        (WantedRun(record="t"), False),
        (WantedRun(kind="Deployment", name="web"), True),
        (WantedRun(kind="Deployment", name="web", namespace="shop"), True),
        (WantedRun(kind="Deployment", name="web", namespace="other"), False),
        (WantedRun(kind="Deployment", name="api"), False),
        (WantedRun(namespace="other"), False),
    ],
)
def test_an_incident_is_found_by_its_ids_or_its_workload(
    wanted: WantedRun, *, is_there: bool
) -> None:
    chosen = incidents.choose(found(killed("1"), resume("2", of="1")), wanted)

    assert (chosen is not None) is is_there


def test_eight_characters_of_a_trace_id_are_enough() -> None:
    there = found(undo("0123456789"), undo("0123999999"))

    assert traces(incidents.choose(there, WantedRun(record="t0123456"))) == ["t0123456789"]
    assert incidents.choose(there, WantedRun(record="t012345")) is None


def test_the_newest_incident_of_a_workload_is_found_behind_those_of_others() -> None:
    there = found(undo("1"), undo("2", about=API))

    assert traces(incidents.choose(there, WantedRun(kind="Deployment", name="web"))) == ["t1"]


def test_an_incident_has_all_its_commands_and_ends_as_the_last_did() -> None:
    [lines] = found(undo("1", result="interrupted"), resume("2", of="1"))
    [open_again] = found(undo("1", result="interrupted"), resume("2", of="1")[:2])

    whole, unended = timeline.incident(lines), timeline.incident(open_again)

    assert [c.command for c in whole.commands] == ["undo", "resume"]
    assert (whole.command, whole.trace_id, whole.ended.result) == ("undo", "t1", "succeeded")
    assert unended.ended.result == ""
