from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from backout.core.diagnosis import exits
from backout.core.diagnosis.diagnosis import Meanwhile
from tests.core.diagnosis import looks
from tests.objects.pods import container_status, pod, terminated, waiting
from tests.objects.replica_sets import replica_set
from tests.objects.times import NOW, stamp

if TYPE_CHECKING:
    from backout.core.diagnosis.exits import Exit, Key

KEY = ("uid-web-3-a", "app")


def crashed(restarts: int, code: int) -> dict[str, Any]:
    last = terminated("Error", code)
    return pod(
        ready=False,
        containers=[waiting("CrashLoopBackOff", lastState=last, restartCount=restarts)],
    )


def is_final(seen: list[tuple[int, int]]) -> bool:
    """Tell whether a container that was seen like this, (restarts, exit code), is given up."""
    known: dict[Key, Exit] = {}
    for restarts, code in seen:
        known = exits.seen(known, [crashed(restarts, code)])
    one = looks.scene(None, replica_set(3), [crashed(*seen[-1])], others=[looks.PEER])
    (cause,) = looks.causes(one, meanwhile=Meanwhile(exits=known))
    return cause.is_final


def test_the_fourth_restart_with_the_same_exit_is_final() -> None:
    assert not is_final([(1, 3), (2, 3), (3, 3)])
    assert is_final([(1, 3), (2, 3), (3, 3), (4, 3)])


def test_another_exit_begins_anew() -> None:
    assert not is_final([(1, 3), (3, 3), (4, 1)])
    assert not is_final([(1, 3), (2, 1), (5, 1)])
    assert is_final([(1, 3), (2, 1), (6, 1)])


def test_the_longest_run_is_kept_by_the_kubelets_own_stamps() -> None:
    def ran(seconds: int, restarts: int) -> dict[str, Any]:
        over = {"startedAt": stamp(NOW), "finishedAt": stamp(NOW + timedelta(seconds=seconds))}
        last = {"terminated": {**terminated("Error", 3)["terminated"], **over}}
        return pod(containers=[container_status(lastState=last, restartCount=restarts)])

    known: dict[Key, Exit] = {}
    for seconds, restarts in ((3, 1), (9, 2), (4, 3)):
        known = exits.seen(known, [ran(seconds, restarts)])

    assert known[KEY].longest == timedelta(seconds=9)


def test_the_same_code_is_the_same_exit_whatever_the_runtime_calls_it() -> None:
    """A container out of memory is OOMKilled, or Error with the same 137 (measured)."""
    pods = [crashed(n, 137) for n in (1, 2, 3)]
    pods[1]["status"]["containerStatuses"][0]["lastState"]["terminated"]["reason"] = "OOMKilled"
    known: dict[Key, Exit] = {}
    for one in pods:
        known = exits.seen(known, [one])

    assert known[KEY].since == 0


def test_a_loop_that_was_under_way_before_the_first_look_counts_from_its_beginning() -> None:
    assert is_final([(7, 1)])


def test_a_container_that_never_ended_is_not_remembered() -> None:
    assert exits.seen({}, [pod(containers=[container_status()])]) == {}


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2)), min_size=1, max_size=8))
def test_looking_twice_changes_nothing(told: list[tuple[int, int]]) -> None:
    once: dict[Key, Exit] = {}
    twice: dict[Key, Exit] = {}
    for restarts, code in told:
        seen = [crashed(restarts, code)]
        once = exits.seen(once, seen)
        twice = exits.seen(exits.seen(twice, seen), seen)
    assert once == twice
    assert set(once) == {KEY}
