"""Whole runs as a person reads them in a pipe: a success, a refusal and a failure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from backout.cli.output.renderers import renderer
from backout.core.events.acting import Resumed, Triggered
from backout.core.events.lines import About, Line
from backout.core.events.planning import AskedBefore, Blocked, Located, PassedOver, TargetChosen
from backout.core.events.told import Noted, RunEnded
from backout.core.events.watching import Counted, NextStep, NotReady, RolledOut

if TYPE_CHECKING:
    from backout.core.events.event import Event
    from tests.contract.cli.command import Command

WHERE: list[Event] = [
    Located(message="deployment/shop is at revision 3 (shop:v3); 0 of 3 Pods Ready", revision=3),
    TargetChosen(
        message="",
        revision=1,
        proven=True,
        why="newest other revision with Ready Pods (3 now)",
        images={"app": "reg.example/team/shop:v1"},
        must_start=False,
        changes=("image shop:v3 -> shop:v1", "env CRASH removed"),
    ),
    PassedOver(message="not chosen: revision 2, no Pod of it is Ready", revision=2),
]
TOLD = """\
  now      deployment/shop is at revision 3 (shop:v3)
           0 of 3 Pods Ready
  target   revision 1 (shop:v1)
           newest other revision with Ready Pods (3 now)
  changes  image shop:v3 -> shop:v1
           env CRASH removed
  note     not chosen: revision 2, no Pod of it is Ready
"""
LINE = "rollback triggered for deployment/shop to revision=1, traceID=t1"
TRIGGERED = Triggered(message=LINE, revision=1)


def ended(result: str, *sentences: str, **more: Any) -> RunEnded:
    code = {"succeeded": 0, "refused": 3, "failed": 4, "undecided": 5}[result]
    told = {"verdict": "", "health": "", "remedy": "", **more}
    told = {"sentences": sentences, **told}
    return RunEnded(message="; ".join(sentences), result=result, exit=code, **told)


def not_ready(pod: int, restarts: int, *, final: bool) -> NotReady:
    return NotReady(
        message=f"Pod shop-{pod}: container app ends with exit 3 at once, {restarts} restarts",
        code="CRASH_LOOP",
        evidence="",
        remedy="",
        final=final,
        group="",
        final_in=None,
        outlook="",
    )


def counted(ready: int, old_ready: int) -> Counted:
    numbers = {"wanted": 3, "updated": 2, "available": ready, "old": old_ready}
    return Counted(message="", ready=ready, old_ready=old_ready, **numbers)


def blocked(one: str, message: str, **more: Any) -> Blocked:
    told = {"detail": "", "remedy": "", "risk": "", "acceptable": True, **more}
    return Blocked(message=message, id=one, **told)


def read(
    capsys: pytest.CaptureFixture[str], *events: Event, finds: bool = False
) -> tuple[str, str]:
    """Return what stands on stdout and on stderr."""
    shown = renderer("text", finds=finds)
    for event in events:
        about = About(trace_id="t1")
        shown.event(Line(time=datetime(2026, 1, 1, tzinfo=UTC), about=about, event=event))
    told = capsys.readouterr()
    return told.out, told.err


def test_a_success(capsys: pytest.CaptureFixture[str]) -> None:
    before = AskedBefore(
        message="service shop:web/ready: HTTP 200",
        subject="service shop:web/ready",
        answer="well",
        status=200,
        milliseconds=1.0,
    )
    done = RolledOut(message='deployment "shop" successfully rolled out', images={})
    words = ("deployment/shop rolled back to revision 1, now revision 4", "healthy: it (6 s)")
    out, err = read(capsys, *WHERE, before, TRIGGERED, done, ended("succeeded", *words))

    assert err == ""
    assert out == (
        f"{TOLD}"
        "  service  shop:web/ready: HTTP 200\n"
        f"{LINE}\n"
        'deployment "shop" successfully rolled out\n'
        "✓ deployment/shop rolled back to revision 1, now revision 4\n"
        "  healthy: it (6 s)\n"
        "  write it up: backout report t1\n"
    )


def test_a_refusal_says_the_risk_and_ends_with_the_safest_step(
    capsys: pytest.CaptureFixture[str],
) -> None:
    gone = blocked("PF301", "image shop:v1 is gone", remedy="push it again", risk="no Pod starts")
    well = blocked("PF906", "the service is healthy now", remedy="leave it as it is")
    note = Noted(message="refusing leaves the outage as it is")
    words = "Not rolled back (PF301, PF906). Nothing was changed."
    remedy = "to roll back anyway: backout undo deploy/shop --accept PF301 --reason 'WHY'"
    out, err = read(capsys, *WHERE, gone, well, note, ended("refused", words, remedy=remedy))

    assert out == TOLD
    assert err == (
        "✗ Not rolled back (PF301, PF906). Nothing was changed.\n"
        "  PF301    image shop:v1 is gone\n"
        "  PF906    the service is healthy now\n"
        "  risk     no Pod starts\n"
        "  note     refusing leaves the outage as it is\n"
        f"  {remedy}\n"
        "  Better:\n"
        "    push it again\n"
        "    leave it as it is\n"
    )


def test_where_no_line_goes_on_anyway_there_is_no_risk_to_weigh(
    capsys: pytest.CaptureFixture[str],
) -> None:
    gone = blocked("PF103", "no history", remedy="deploy it again", risk="no Pod starts")
    _, err = read(capsys, gone, ended("refused", "Not rolled back (PF103). Nothing was changed."))

    assert err == (
        "✗ Not rolled back (PF103). Nothing was changed.\n"
        "  PF103    no history\n"
        "  fix: deploy it again\n"
    )


def test_a_line_that_goes_on_is_told_once_where_the_fix_has_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    line = "backout undo deploy/shop --unpause"
    words = "Not rolled back (PF105). Nothing was changed."
    paused = blocked("PF105", "it is paused", remedy=f"resume it in the same write: {line}")
    _, err = read(capsys, paused, ended("refused", words, remedy=f"to roll back anyway: {line}"))
    other = blocked("PF105", "it is paused", remedy="see who paused it")
    _, both = read(capsys, other, ended("refused", words, remedy=f"to roll back anyway: {line}"))

    assert err.splitlines()[2:] == [
        f"  to roll back anyway: {line}",
        "  Better:",
        "    resume it in the same write",
    ]
    assert both.splitlines()[-1] == "    see who paused it"


def test_what_a_refusal_names_itself_is_a_next_step_and_no_fix(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, refused = read(capsys, ended("refused", "already there", remedy="look at it"))
    wrong = RunEnded(
        message="no file", result="not changed", exit=1, verdict="", health="", remedy="name one"
    )
    _, error = read(capsys, wrong)

    assert refused.splitlines()[-1] == "  next: look at it"
    assert error.splitlines()[-1] == "  fix: name one"


def test_the_limits_own_line_stands_alone_as_scripts_know_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    known = "rollback rate limit exceeded — manual intervention required"
    limit = blocked("PF801", known, detail="2 in the last 1 h, 2 allowed")
    _, err = read(capsys, limit, ended("refused", "Not rolled back (PF801). Nothing was changed."))

    assert err.splitlines() == [
        f"ERROR: {known}",
        "✗ Not rolled back (PF801). Nothing was changed.",
        "  PF801    2 in the last 1 h, 2 allowed",
    ]


def test_a_check_keeps_its_findings_on_stdout_and_the_limits_line_where_scripts_look(
    capsys: pytest.CaptureFixture[str],
) -> None:
    known = "rollback rate limit exceeded — manual intervention required"
    limit = blocked("PF801", known, detail="2 in the last 1 h, 2 allowed")
    told = Noted(message="the policy file is ignored")
    out, err = read(capsys, told, limit, ended("refused", "it would be refused"), finds=True)

    assert err == f"note: the policy file is ignored\nERROR: {known}\n"
    assert out == "✗ it would be refused\n  PF801    2 in the last 1 h, 2 allowed\n"


@pytest.mark.parametrize(
    ("ready", "old_ready", "service"),
    [
        (0, 2, "still served by 2 Pods of another revision; no Pod of the target is Ready"),
        (1, 0, "served by 1 Pod of the target, of 3 wanted"),
        (1, 2, "1 Pod of the target and 2 Pods of another revision are Ready"),
        (0, 0, "DOWN: no Pod is Ready"),
    ],
)
def test_a_failure_counts_the_same_trouble_and_tells_who_serves(
    capsys: pytest.CaptureFixture[str], ready: int, old_ready: int, service: str
) -> None:
    words = ("deployment/shop was set to revision 1, now revision 4", "its rollout failed: exit 3")
    out, err = read(
        capsys,
        TRIGGERED,
        not_ready(1, 3, final=False),
        not_ready(2, 3, final=False),
        not_ready(1, 4, final=True),
        not_ready(2, 5, final=True),
        counted(ready, old_ready),
        NextStep(
            message="try the next candidate, revision 2: backout undo deploy/shop --to-revision 2"
        ),
        ended("failed", *words, remedy="read its last run: kubectl logs shop-1"),
    )

    assert out == (
        f"{LINE}\n"
        "  suspect  Pod shop-1: container app ends with exit 3 at once, 3 restarts [CRASH_LOOP]\n"
        "  cause    Pod shop-1: container app ends with exit 3 at once, 4 restarts [CRASH_LOOP]\n"
    )
    assert err == (
        "✗ FAILED: deployment/shop was set to revision 1, now revision 4\n"
        "  its rollout failed: exit 3\n"
        f"  service  {service}\n"
        "  cause    2 Pods: container app ends with exit 3 at once, 5 restarts [CRASH_LOOP]\n"
        "  What to do:\n"
        "    try the next candidate, revision 2: backout undo deploy/shop --to-revision 2\n"
        "    read its last run: kubectl logs shop-1\n"
        "    write it up: backout report t1\n"
    )


def test_what_was_not_finished_in_time_says_so_first_and_how_it_is_watched_to_its_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ("deployment/shop was set to revision 1", "undecided: not finished when time was up")
    way = "watch it to its end: backout resume deployment/shop -n shop"
    gone_on_with = Resumed(message="it was left open", resumed="o1")
    for event in (TRIGGERED, gone_on_with):
        _, err = read(capsys, event, counted(0, 0), ended("undecided", *words, remedy=way))
        assert err == (
            "! UNDECIDED: deployment/shop was set to revision 1\n"
            "  not finished when time was up\n"
            "  service  DOWN: no Pod is Ready\n"
            f"  next: {way}\n"
        )


def test_a_sentence_stays_whole_whatever_a_service_or_a_smoke_test_has_answered(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ("deployment/shop was set to revision 1", "rolled out, and unhealthy: a; b; c")
    _, err = read(capsys, ended("failed", *words))
    _, of_a_journal = read(capsys, ended("failed", *words, sentences=()))

    assert err.splitlines() == [f"✗ {words[0]}", f"  {words[1]}"]
    assert of_a_journal.splitlines() == [f"✗ {'; '.join(words)}"]


@pytest.mark.usefixtures("api")
async def test_where_a_terminal_cannot_draw_signs_words_stand(backout: Command) -> None:
    backout.environment = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = await backout("undo", "deploy/web", "--to-revision", "2")

    assert done.code == 3
    assert "ERROR: Not rolled back (PF102). Nothing was changed." in done.lines
    assert (done.out + done.err).isascii()
