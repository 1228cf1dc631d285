from __future__ import annotations

from typing import Any

import pytest

from backout.core.health.judgement import Answer, Sample
from backout.core.model import Severity, Skipped
from backout.core.preflight.snapshot import Need
from tests.core.checks.running import found_by, result_of
from tests.core.values_made import preflight
from tests.objects.pods import container_status, pod, waiting
from tests.objects.times import ago, stamp

ALL = ("PF110", "PF121", "PF122", "PF123")


def samples(*answers: Answer, **marks: Any) -> tuple[Sample, ...]:
    return tuple(
        Sample(subject=f"Pod web-2-{i}", answer=a, detail=f"HTTP {a}", **marks)
        for i, a in enumerate(answers)
    )


WELL, UNWELL, UNKNOWN = Answer.WELL, Answer.UNWELL, Answer.UNKNOWN
RUNS = {"phase": "Running"}
NAMED = {"health": ("/ready",)}
NONE_READY = tuple(pod(f"web-2-{x}", of="web-2", ready=False) for x in "ab")


def crashing(code: int = 3, *, restarts: int = 2, loops: bool = True) -> dict[str, Any]:
    """Return the status of a container that ended a minute ago."""
    ended = {"exitCode": code, "finishedAt": stamp(ago(minutes=1))}
    back_off = waiting("CrashLoopBackOff") if loops else container_status()
    return {**back_off, "restartCount": restarts, "lastState": {"terminated": ended}}


@pytest.mark.parametrize(
    ("answers", "ids"),
    [
        ((), ()),
        ((WELL, WELL, WELL), ()),
        ((UNWELL,), ("PF121",)),
        ((UNWELL, UNWELL, UNWELL), ("PF121",)),
        ((WELL, UNWELL, WELL), ("PF122",)),
        ((UNKNOWN, UNKNOWN), ("PF123",)),
        ((WELL, UNKNOWN), ("PF123",)),
        # What could not be asked is not bad: it may be well.
        ((UNWELL, UNKNOWN, UNKNOWN), ("PF122", "PF123")),
        ((WELL, UNWELL, UNKNOWN), ("PF122", "PF123")),
    ],
)
def test_what_the_running_pods_of_the_target_say_decides(
    answers: tuple[Answer, ...], ids: tuple[str, ...]
) -> None:
    seen = preflight(pod_health=samples(*answers), policy=NAMED)
    assert tuple(one for one in ALL if found_by(one, seen)) == ids


@pytest.mark.parametrize(
    ("answers", "ids"),
    [
        ((WELL, WELL, WELL), ()),
        ((UNWELL,), ("PF122",)),
        ((UNWELL, UNWELL, UNWELL), ("PF122",)),
        ((WELL, UNWELL, WELL), ("PF122",)),
    ],
)
def test_what_backout_guessed_only_warns_while_the_kubelet_finds_pods_ready(
    answers: tuple[Answer, ...], ids: tuple[str, ...]
) -> None:
    seen = preflight(pod_health=samples(*answers, is_guess=True))
    assert tuple(one for one in ALL if found_by(one, seen)) == ids
    for one in ids:
        assert "the kubelet finds 3 of them Ready" in found_by(one, seen)[0].message


def test_a_guess_blocks_where_the_kubelet_finds_none_ready_either() -> None:
    asked = samples(UNWELL, UNWELL, is_guess=True)
    (found,) = found_by("PF121", preflight(to=2, pods=NONE_READY, pod_health=asked))
    assert "answers badly" in found.message
    # Pods that only start, or could not be asked, are neither well nor bad.
    assert found_by("PF121", preflight(to=2, pods=NONE_READY)) == ()
    unknown = samples(UNKNOWN, UNKNOWN)
    assert found_by("PF121", preflight(to=2, pods=NONE_READY, pod_health=unknown)) == ()


def test_an_answer_to_another_question_than_the_kubelets_is_no_finding() -> None:
    other = samples(UNKNOWN, UNKNOWN, is_guess=True, is_misasked=True)
    seen = preflight(pod_health=other)
    assert [one for one in ALL if found_by(one, seen)] == []


@pytest.mark.parametrize(
    ("status", "is_seen"),
    [
        (crashing(restarts=1), True),
        (crashing(loops=False), True),
        (crashing(restarts=1, loops=False), False),
        (container_status(), False),
        (waiting("ContainerCreating"), False),
    ],
)
def test_pods_that_crash_before_our_eyes_block(status: dict[str, Any], *, is_seen: bool) -> None:
    pods = tuple(pod(f"web-2-{x}", of="web-2", ready=False, containers=(status,)) for x in "ab")
    hidden: Any = {Need.POD_HEALTH: "its readiness probe is not HTTP"}
    nothing: Any = {}
    for unreadable in (nothing, hidden):
        found = found_by("PF121", preflight(to=2, pods=pods, unreadable=unreadable))
        assert bool(found) is is_seen
        for one in found:
            assert one.message.startswith("no Pod of revision 2 is Ready, all 2 Pods crash again")
            assert "Pod web-2-a: container app ends with exit code 3" in one.message


def test_pods_that_crash_beside_one_that_is_ready_do_not_block() -> None:
    bad = pod("web-2-a", of="web-2", ready=False, containers=(crashing(),))
    starting = pod("web-2-b", of="web-2", ready=False)
    for other in (pod("web-2-b", of="web-2"), starting):
        assert found_by("PF121", preflight(to=2, pods=(bad, other))) == ()


def test_a_half_started_target_blocks_and_says_what_going_on_risks() -> None:
    (found,) = found_by("PF121", preflight(pod_health=samples(UNWELL, UNWELL), policy=NAMED))
    assert (found.severity, found.acceptable) == (Severity.BLOCK, True)
    assert "every running Pod of revision 2 that was asked (2) answers badly" in found.message
    assert "Pod web-2-0: HTTP unwell" in found.message
    assert found.risk


def test_some_unhealthy_pods_warn_with_their_count_and_the_line_to_look_at_one() -> None:
    (found,) = found_by("PF122", preflight(pod_health=samples(WELL, UNWELL, UNWELL)))
    assert found.severity is Severity.WARN
    assert "2 of 3" in found.message
    assert "kubectl logs web-2-1 -n shop" in found.remedy


def test_health_that_could_not_be_asked_warns_and_never_blocks() -> None:
    (found,) = found_by("PF123", preflight(pod_health=samples(UNKNOWN, WELL)))
    assert found.severity is Severity.WARN
    assert "could not be asked" in found.message


def test_a_target_without_ready_pods_is_unproven() -> None:
    (found,) = found_by("PF110", preflight(pods=()))
    assert (found.id, found.severity) == ("PF110", Severity.WARN)
    assert "revision 2 is unproven" in found.message
    assert found_by("PF110", preflight(to=2)) == ()
    assert len(found_by("PF110", preflight(to=1))) == 1


@pytest.mark.parametrize("one", ALL)
def test_where_the_pods_cannot_be_read_the_check_is_skipped_with_the_reason(one: str) -> None:
    seen = preflight(pods=(), unreadable={Need.PODS: "403 for pods"})
    skipped = result_of(one, seen)
    assert isinstance(skipped, Skipped)
    assert skipped.reason == "pods: 403 for pods"


@pytest.mark.parametrize("one", ["PF122", "PF123"])
def test_where_their_health_cannot_be_read_the_check_is_skipped(one: str) -> None:
    seen = preflight(pod_health=samples(UNWELL), unreadable={Need.POD_HEALTH: "403 for pods/proxy"})
    assert isinstance(result_of(one, seen), Skipped)


def test_of_many_pods_it_is_said_how_many_were_asked() -> None:
    running = tuple({**pod(f"web-2-{n}", of="web-2"), "status": RUNS} for n in range(37))
    ten = [UNWELL] * 10
    (blocked,) = found_by("PF121", preflight(pods=running, pod_health=samples(*ten), policy=NAMED))
    (warned,) = found_by("PF122", preflight(pods=running, pod_health=samples(WELL, *ten[1:])))
    assert "every running Pod of revision 2 that was asked (10 of 37) answers" in blocked.message
    assert "9 of 10 running Pods of revision 2 (10 of 37 were asked) do not" in warned.message
