from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from backout.core.diagnosis.before import Before
from backout.core.diagnosis.probes import Asked
from backout.core.diagnosis.readiness import Others, warm_up
from tests.core.diagnosis import looks
from tests.objects.events import event
from tests.objects.pods import container_status, pod
from tests.objects.replica_sets import replica_set
from tests.objects.templates import template
from tests.objects.times import NOW, ago, stamp

if TYPE_CHECKING:
    from backout.core.diagnosis.causes import Cause
    from backout.core.diagnosis.diagnosis import Scene

POD = "uid-web-3-a"
PROBE = {"httpGet": {"path": "/ready", "port": "http"}, "periodSeconds": 1, "failureThreshold": 3}
BY_HTTPS = Others(asked={"app": frozenset({Asked(port="8080", path="/ready", tls=True)})})
HEALTHZ = Others(asked={"app": frozenset({Asked(port="8080", path="/healthz")})})


def at(
    second: float,
    *,
    answer: str = "",
    others: Others | None = None,
    probe: Any = PROBE,
    status: Any = None,
    peers: Any = (looks.PEER,),
    **container: Any,
) -> Scene:
    """Return a Pod whose container has run for so long; its probe may take 4 s."""
    running = {"running": {"startedAt": stamp(NOW)}}
    made = pod(
        ready=False,
        containers=[container_status(state=running, **(status or {}))],
        spec=template(readinessProbe=probe, **container)["spec"],
    )
    text = f"Readiness probe failed: {answer}"
    events = [event(POD, "Unhealthy", text, at=NOW + timedelta(seconds=second))] if answer else []
    earlier = Before(others=others or Others(ran=True))
    return looks.scene(None, replica_set(3), [made], events, others=peers, earlier=earlier)


def judged(seconds: int, **how: Any) -> tuple[Cause, ...]:
    return looks.changing(lambda s: at(s, **how), seconds=range(seconds + 1))


def suspected_at(**how: Any) -> float | None:
    return looks.suspected_at(lambda s: at(s, **how))


def final_at(**how: Any) -> float | None:
    return looks.final_at(lambda s: at(s, **how))


def test_it_is_suspected_at_the_probes_arithmetic_and_final_after_a_minute() -> None:
    assert suspected_at() == 4
    assert final_at() == 60


def test_a_slow_probe_is_final_after_twice_its_arithmetic() -> None:
    slow = {**PROBE, "periodSeconds": 10, "initialDelaySeconds": 5}
    assert suspected_at(probe=slow) == 36
    assert final_at(probe=slow) == 72


def test_what_others_took_to_warm_up_is_given_three_times() -> None:
    assert final_at(others=Others(ran=True, warm_up=timedelta(seconds=25))) == 75


def test_a_start_up_probe_comes_first_and_its_time_is_given_too() -> None:
    startup = {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 10, "failureThreshold": 6}
    assert judged(119, startupProbe=startup, status={"started": False}) == ()
    assert suspected_at(startupProbe=startup, status={"started": True}) == 65


def test_a_path_that_another_revision_does_not_ask_and_that_is_not_found_is_told_at_once() -> None:
    how = {"answer": "HTTP probe failed with statuscode: 404", "others": HEALTHZ}
    (found,) = judged(0, **how)
    assert not found.is_final
    assert "asks /ready on 8080" in found.message
    assert "404" in found.message
    assert "other revisions answer /healthz on 8080" in found.message
    assert final_at(**how) == 4
    assert final_at(**how, peers=()) is None


def test_a_revision_that_ran_with_that_very_probe_is_contradicted_by_no_other() -> None:
    ran = Others(asked=HEALTHZ.asked, ran=True)
    assert final_at(answer="HTTP probe failed with statuscode: 404", others=ran) == 60


@pytest.mark.parametrize(
    "how",
    [
        {"answer": "HTTP probe failed with statuscode: 503", "others": HEALTHZ},
        {"answer": "HTTP probe failed with statuscode: 404"},
        {"answer": 'Get "http://10.0.0.1:8080/ready": connection refused', "others": HEALTHZ},
        {"answer": "HTTP probe failed with statuscode: 404", "others": BY_HTTPS},
    ],
)
def test_an_answer_that_may_still_change_is_waited_for(how: dict[str, Any]) -> None:
    assert judged(2, **how) == ()


def test_a_port_where_nothing_listens_and_others_listen_elsewhere_is_final_when_suspected() -> None:
    others = Others(asked={"app": frozenset({Asked(port="9090", path="/ready")})})
    how = {"answer": 'Get "http://10.0.0.1:8080": connection refused', "others": others}
    assert suspected_at(**how) == 4
    assert final_at(**how) == 4


def test_a_container_without_a_readiness_probe_or_that_is_ready_is_not_judged() -> None:
    assert judged(90, probe=None) == ()
    assert judged(90, status={"ready": True}) == ()


def test_the_longest_warm_up_is_taken_from_ready_pods_that_never_restarted() -> None:
    def well(seconds: int, restarts: int = 0, *, ready: bool = True) -> dict[str, Any]:
        running = {"running": {"startedAt": stamp(ago(seconds=seconds + 60))}}
        made = pod(
            ready=ready,
            containers=[container_status(state=running, ready=True, restartCount=restarts)],
        )
        made["status"]["conditions"][0]["lastTransitionTime"] = stamp(ago(seconds=60))
        return made

    assert warm_up([]) == timedelta(0)
    assert warm_up([well(3), well(20), well(7)]) == timedelta(seconds=20)
    assert warm_up([well(20, restarts=1), well(30, ready=False)]) == timedelta(0)
