from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from backout.core.diagnosis import diagnosis, exits
from backout.core.kinds.deployment import DEPLOYMENT
from tests.objects.deployments import deployment
from tests.objects.pods import container_status, pod, terminated, waiting
from tests.objects.replica_sets import replica_set
from tests.objects.times import NOW

if TYPE_CHECKING:
    from backout.core.diagnosis.exits import Exit, Key

KEY = ("uid-web-3-a", "app")


def crashed(restarts: int, code: int) -> dict[str, Any]:
    last = terminated("Error", code)
    return pod(
        ready=False,
        containers=[waiting("CrashLoopBackOff", lastState=last, restartCount=restarts)],
    )


def is_final(looks: list[tuple[int, int]]) -> bool:
    """Tell whether a container that was seen like this, (restarts, exit code), is given up."""
    known: dict[Key, Exit] = {}
    for restarts, code in looks:
        known = exits.seen(known, [crashed(restarts, code)])
    last = crashed(*looks[-1])
    (cause,) = diagnosis.causes(
        deployment(),
        DEPLOYMENT,
        replica_set(3),
        [last],
        now=NOW,
        meanwhile=diagnosis.Meanwhile(exits=known),
    )
    return cause.is_final


def test_the_third_restart_with_the_same_exit_is_final() -> None:
    assert not is_final([(1, 3), (2, 3)])
    assert is_final([(1, 3), (2, 3), (3, 3)])


def test_another_exit_begins_anew() -> None:
    assert not is_final([(1, 3), (2, 3), (3, 1)])
    assert not is_final([(1, 3), (2, 1), (4, 1)])
    assert is_final([(1, 3), (2, 1), (5, 1)])


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
def test_looking_twice_changes_nothing(looks: list[tuple[int, int]]) -> None:
    once: dict[Key, Exit] = {}
    twice: dict[Key, Exit] = {}
    for restarts, code in looks:
        seen = [crashed(restarts, code)]
        once = exits.seen(once, seen)
        twice = exits.seen(exits.seen(twice, seen), seen)
    assert once == twice
    assert set(once) == {KEY}
