from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from backout.core.diagnosis.probes import Asked
from backout.core.diagnosis.readiness import Others, of_unready, warm_up
from tests.objects.events import event
from tests.objects.pods import container_status, pod
from tests.objects.templates import template
from tests.objects.times import NOW, ago, stamp

if TYPE_CHECKING:
    from backout.core.diagnosis.causes import Cause

POD = "uid-web-3-a"
PROBE = {"httpGet": {"path": "/ready", "port": "http"}, "periodSeconds": 1, "failureThreshold": 3}
BY_HTTPS = Others(asked={"app": frozenset({Asked(port="8080", path="/ready", tls=True)})})
HEALTHZ = Others(asked={"app": frozenset({Asked(port="8080", path="/healthz")})})


def judged(
    age: float,
    *,
    answer: str = "",
    others: Others | None = None,
    probe: Any = PROBE,
    status: Any = None,
    **container: Any,
) -> list[Cause]:
    """Judge a Pod whose container has run for `age` seconds; its probe may take 4 s."""
    running = {"running": {"startedAt": stamp(ago(seconds=age))}}
    made = pod(
        ready=False,
        containers=[container_status(state=running, **(status or {}))],
        spec=template(readinessProbe=probe, **container)["spec"],
    )
    events = [event(POD, "Unhealthy", f"Readiness probe failed: {answer}")] if answer else []
    return list(of_unready(made, events, others or Others(), NOW))


def finals(**how: Any) -> dict[int, bool]:
    """Return at which second after the start it is suspected (False) or final (True)."""
    return {s: found[0].is_final for s in range(120) if (found := judged(s, **how))}


def test_it_is_suspected_at_the_probes_arithmetic_and_final_after_thirty_seconds() -> None:
    told = finals()
    assert min(told) == 4
    assert min(s for s, is_final in told.items() if is_final) == 30


def test_a_slow_probe_is_final_after_twice_its_arithmetic() -> None:
    told = finals(probe={**PROBE, "periodSeconds": 10, "initialDelaySeconds": 5})
    assert min(told) == 36
    assert min(s for s, is_final in told.items() if is_final) == 72


def test_what_others_took_to_warm_up_is_given_three_times() -> None:
    told = finals(others=Others(warm_up=timedelta(seconds=25)))
    assert min(s for s, is_final in told.items() if is_final) == 75


def test_a_start_up_probe_comes_first_and_its_time_is_given_too() -> None:
    startup = {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 10, "failureThreshold": 6}
    assert judged(119, startupProbe=startup, status={"started": False}) == []
    assert min(finals(startupProbe=startup, status={"started": True})) == 65


def test_a_path_that_another_revision_does_not_ask_and_that_is_not_found_is_final_at_once() -> None:
    (found,) = judged(1, answer="HTTP probe failed with statuscode: 404", others=HEALTHZ)
    assert found.is_final
    assert "asks /ready on 8080" in found.message
    assert "404" in found.message
    assert "other revisions answer /healthz on 8080" in found.message


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
    assert judged(2, **how) == []


def test_a_port_where_nothing_listens_and_others_listen_elsewhere_is_final_when_suspected() -> None:
    others = Others(asked={"app": frozenset({Asked(port="9090", path="/ready")})})
    (found,) = judged(4, answer='Get "http://10.0.0.1:8080": connection refused', others=others)
    assert found.is_final


def test_a_container_without_a_readiness_probe_or_that_is_ready_is_not_judged() -> None:
    assert judged(90, probe=None) == []
    assert judged(90, status={"ready": True}) == []


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
