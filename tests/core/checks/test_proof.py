from __future__ import annotations

from typing import Any

import pytest

from backout.core.health.judgement import Answer, Sample
from backout.core.ledger.records import Side, State
from backout.core.model import Severity, Skipped
from backout.core.preflight.snapshot import Need
from tests.core.checks.running import found_by, result_of
from tests.core.values_made import lease, preflight, record
from tests.objects.pods import container_status, pod, waiting
from tests.objects.replica_sets import replica_set
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
    (found,) = found_by("PF110", preflight(pods=(), stored=deployed(40, 20, 5)))
    assert (found.id, found.severity) == ("PF110", Severity.WARN)
    assert "revision 2 is unproven" in found.message
    assert "it was current for 15 min, which proves nothing" in found.message
    assert found_by("PF110", preflight(to=2)) == ()
    assert len(found_by("PF110", preflight(to=1, stored=deployed(40, 20, 5)))) == 1


def deployed(*minutes: int) -> tuple[Any, ...]:
    """Return the ReplicaSets of revisions 1, 2 and 3, each made so many minutes ago."""
    return tuple(replica_set(n, created=ago(minutes=m)) for n, m in enumerate(minutes, 1))


@pytest.mark.parametrize(("third", "is_told"), [(60, True), (59, False)])
def test_who_has_served_for_an_hour_is_not_called_unproven_and_is_not_proven(
    third: int, *, is_told: bool
) -> None:
    sets = deployed(400, 119, third)
    seen = preflight(pods=(), stored=sets)
    assert bool(found_by("PF110", seen)) == is_told
    assert not seen.choice.proven
    demanded = preflight(pods=(), stored=sets, policy={"require_proof": True})
    assert len(found_by("PF114", demanded)) == 1


def test_of_one_that_served_for_less_the_line_of_the_next_older_one_is_told() -> None:
    (found,) = found_by("PF110", preflight(pods=(), stored=deployed(900, 40, 5)))
    assert "backout undo deployment/web -n shop --to-revision 1" in found.remedy
    (last,) = found_by("PF110", preflight(pods=(), stored=deployed(900, 40, 5)[1:]))
    assert "--to-revision" not in last.remedy


def test_of_one_that_is_known_to_be_bad_only_that_is_told() -> None:
    one = preflight(stored=deployed(900, 40, 5)).revisions[-2]
    bad = lease(record(source=Side(revision=2, hash=one.hash), state=State.SUCCEEDED))
    seen = preflight(lease=bad, to=2, stored=deployed(900, 40, 5))

    assert "--to-revision 1" in found_by("PF109", seen)[0].remedy
    assert found_by("PF110", seen) == ()


def test_where_the_pods_are_denied_the_target_is_called_unproven_and_why() -> None:
    hidden = {Need.PODS: "403 for pods"}
    (found,) = found_by("PF110", preflight(pods=(), unreadable=hidden, stored=deployed(9, 8, 5)))
    assert "its Pods could not be read" in found.message


@pytest.mark.parametrize("unasked", [{}, {"no port": "name one"}])
@pytest.mark.parametrize("is_required", [False, True])
def test_required_health_that_cannot_be_asked_refuses_before_anything_is_done(
    unasked: dict[str, str], *, is_required: bool
) -> None:
    policy = {
        "require_health": is_required,
        "command": ("undo", "deploy/web", "-n", "shop", "--require-health"),
    }
    found = found_by("PF118", preflight(unasked=unasked, policy=policy))
    assert bool(found) == (is_required and bool(unasked))
    for one in found:
        assert (one.severity, one.acceptable) == (Severity.BLOCK, False)
        assert "no port (--require-health)" in one.message
        assert one.remedy.startswith("name one; or leave --require-health out: ")
        assert one.remedy.endswith("backout undo deploy/web -n shop")


@pytest.mark.parametrize("one", ALL[1:])
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
