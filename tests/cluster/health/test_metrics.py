"""What users get, as Prometheus measured it: recovered, not recovered, not known."""

from __future__ import annotations

import http.client
import json
import urllib.parse
from typing import TYPE_CHECKING, Any

import pytest

from tests.cluster.manifests import deployment, service
from tests.cluster.space import until

if TYPE_CHECKING:
    from tests.cluster.manifests import Version
    from tests.cluster.space import Space

SCRAPED = {"prometheus.io/scrape": "true", "prometheus.io/port": "8080"}
MOST = "0.1"


def prometheus(space: Space) -> str:
    url = space.cluster.prometheus
    assert url, "this sandbox has no Prometheus yet: python3 -m sandbox up"
    return url


def failing(space: Space, share: str, tag: str) -> Version:
    return space.version(tag, env={"REQUESTS_PER_SECOND": "20", "ERROR_RATE": share})


def deploy(space: Space, version: Version) -> None:
    body = deployment(version)
    body["spec"]["template"]["metadata"]["annotations"] = SCRAPED
    space.create(service())
    space.create(body)
    space.rolled_out()


def ratio(space: Space) -> str:
    here = f'namespace="{space.name}"'
    bad = f'sum(rate(http_requests_total{{{here},code="500"}}[5s]))'
    return f"{bad} / sum(rate(http_requests_total{{{here}}}[5s]))"


def answer(space: Space, path: str) -> dict[str, Any]:
    host = urllib.parse.urlsplit(prometheus(space)).netloc
    connection = http.client.HTTPConnection(host, timeout=5)
    try:
        connection.request("GET", f"/api/v1/{path}")
        found: dict[str, Any] = json.load(connection.getresponse())["data"]
    finally:
        connection.close()
    return found


def measured(space: Space) -> float | None:
    query = urllib.parse.urlencode({"query": ratio(space)})
    found = answer(space, f"query?{query}")["result"]
    return float(found[0]["value"][1]) if found else None


def fires(space: Space) -> bool:
    """Tell whether an alert of this namespace fires: rules are evaluated after they would hold."""
    return any(
        one["state"] == "firing" and one["labels"].get("namespace") == space.name
        for one in answer(space, "alerts")["alerts"]
    )


def has_errors(space: Space) -> bool:
    value = measured(space)
    return value is not None and value > float(MOST)


def undo(space: Space, *words: str, url: str = "") -> Any:
    asked = ("--metric", f"{ratio(space)} < {MOST}", "--prometheus", url or prometheus(space))
    return space.undo("--health", "/healthz", *asked, *words)


@pytest.mark.timeout(180)
def test_errors_that_fall_below_the_threshold_are_healthy(space: Space) -> None:
    deploy(space, failing(space, "0", "v1"))
    space.roll(failing(space, "0.5", "v2"), up=True)
    until("the errors are measured", lambda: has_errors(space))
    until("the alert fires", lambda: fires(space))

    ran = undo(space, "--health-timeout", "60s").expect(0)

    assert "healthy: " in ran.outcome
    assert "metric sum(rate(http_requests_total" in ran.outcome
    lines = space.journal_lines()
    values = [line for line in lines if line["event"] == "metric"]
    assert [v["value"] > float(MOST) for v in values if v["phase"] == "before"] == [True]
    assert values[-1]["phase"] == "after"
    assert values[-1]["value"] < float(MOST)
    (alerts,) = [line for line in lines if line["event"] == "alerts"]
    assert "HighErrorRatio (this workload)" in alerts["message"]
    assert "HighErrorRatio (this workload)" in ran.line("note: 1 alert fires for namespace")
    assert space.records()[-1]["health"] == "Healthy"


@pytest.mark.timeout(180)
def test_errors_that_stay_are_unhealthy(space: Space) -> None:
    deploy(space, failing(space, "0.5", "v1"))
    space.roll(failing(space, "0.5", "v2"), up=True)
    until("the errors are measured", lambda: has_errors(space))

    ran = undo(space, "--health-timeout", "15s").expect(4)

    assert "rolled out, and unhealthy: metric sum(rate(" in ran.err
    assert f"is not < {MOST}" in ran.err


@pytest.mark.timeout(180)
def test_a_prometheus_that_is_down_proves_nothing_and_stops_nothing(space: Space) -> None:
    deploy(space, failing(space, "0", "v1"))
    space.roll(space.version("missing"))

    ran = undo(space, "--health-timeout", "3s", url="http://127.0.0.1:9").expect(5)

    assert "; health is inconclusive: metric sum(rate(" in ran.outcome
    assert "cannot connect to 127.0.0.1" in ran.err
    assert "note: whether alerts fire could not be read: cannot connect" in ran.err
    assert space.image_now() == space.image("v1")
