"""What is asked of Pods and Services, what an answer is worth, and what is demanded before the act.

The kubelet asks once and is content; from the fifth second on whoever asks is answered otherwise.
So an application looks that answers by the Host header, a rule of a mesh or who it is that asks.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.cluster.checks.test_permissions import RIGHTS, user_with
from tests.cluster.command import BECAUSE, accepting
from tests.cluster.manifests import SHOP, service
from tests.cluster.space import until

if TYPE_CHECKING:
    from tests.cluster.manifests import Version
    from tests.cluster.space import Space

DEPLOY = f"deploy/{SHOP}"
BRIEF = ("--health-timeout", "3s", "--health-successes", "2", "--soak", "0.5s")
FRUGAL = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}


def asked_once(status: int, **request: Any) -> dict[str, Any]:
    """Return a container whose kubelet finds it Ready, and that answers others so later."""
    http = {"path": "/healthz", "port": "http", **request}
    env = {"HEALTH_STATUS": str(status), "UNHEALTHY_AFTER": "4s"}
    return {
        "env": [{"name": name, "value": value} for name, value in env.items()],
        "startupProbe": {"httpGet": {"path": "/version", "port": "http"}, "periodSeconds": 1},
        "readinessProbe": {"httpGet": http, "periodSeconds": 60, "failureThreshold": 10},
    }


def peculiar(space: Space, tag: str, status: int, **request: Any) -> Version:
    return space.version(tag, probe=None, container=asked_once(status, **request))


def gone(space: Space, tag: str = "v1") -> None:
    until(f"no Pod of {tag} runs", lambda: not space.pods(image=space.image(tag)))


HOST = {"httpHeaders": [{"name": "Host", "value": "shop.local"}]}


def test_an_application_that_wants_its_host_header_gets_its_rollback(space: Space) -> None:
    space.deploy(peculiar(space, "v1", 400, **HOST))
    space.roll(space.version("v2"), up=True)
    gone(space)

    ran = space.undo(*BRIEF).expect(0)
    verified = space.backout("verify", DEPLOY, "--soak", "1s").expect(0)

    assert "PF121" not in ran.findings()
    assert "not verified end to end: its readiness probe asks with headers" in ran.out
    assert space.records()[-1]["state"] == "SUCCEEDED"
    assert "healthy: the kubelet's own HTTP probe held for 1 s" in verified.outcome


VHOST = """
from http.server import BaseHTTPRequestHandler, HTTPServer

class Shop(BaseHTTPRequestHandler):
    def do_GET(self):
        here = self.headers.get("Host") == "shop.local"
        self.send_response(200 if here else STATUS)
        if not here:
            self.send_header("Location", "https://login.local/")
        self.end_headers()

HTTPServer(("", 8080), Shop).serve_forever()
"""


def virtual_host(space: Space, tag: str, status: int, **request: Any) -> Version:
    """Return a version that knows one Host only, and answers others so: Python of the node's."""
    folders = {"/usr", "/lib", "/lib64", sys.base_prefix}
    mounts: list[dict[str, Any]] = [
        {"name": f"m{n}", "hostPath": {"path": f}} for n, f in enumerate(sorted(folders))
    ]
    return space.version(
        tag,
        probe=None,
        spec={"volumes": mounts},
        container={
            "command": [
                os.path.realpath(sys.executable),
                "-c",
                VHOST.replace("STATUS", str(status)),
            ],
            "env": [{"name": "LD_LIBRARY_PATH", "value": f"{sys.base_prefix}/lib"}],
            "volumeMounts": [
                {"name": m["name"], "mountPath": m["hostPath"]["path"], "readOnly": True}
                for m in mounts
            ],
            "readinessProbe": {
                "httpGet": {"path": "/", "port": "http", **request},
                "periodSeconds": 1,
            },
        },
    )


@pytest.mark.parametrize(
    "status",
    [421, *(pytest.param(s, marks=pytest.mark.every_case) for s in (302, 400, 401, 403, 404))],
)
def test_an_application_that_looks_at_the_host_is_judged_by_its_kubelet(
    space: Space, status: int
) -> None:
    """Beside Pods that are Ready by a probe with that header, and after a rollback to them."""
    space.deploy(virtual_host(space, "v1", status, **HOST), replicas=2)
    space.roll(space.version("missing"))

    checked = space.backout("check", DEPLOY).expect(0)
    ran = space.undo(*BRIEF).expect(0)
    verified = space.backout("verify", DEPLOY, "--soak", "1s").expect(0)

    assert not any(f"{word} PF12" in checked.out for word in ("BLOCK", "WARN")), str(checked)
    assert "not verified end to end: its readiness probe asks with headers" in ran.out
    assert "healthy: the kubelet's own HTTP probe held for 1 s" in verified.outcome


@pytest.mark.parametrize(
    "status", [421, *(pytest.param(s, marks=pytest.mark.every_case) for s in (401, 403, 404))]
)
def test_what_answers_strangers_otherwise_is_judged_by_its_kubelet(
    space: Space, status: int
) -> None:
    space.deploy(peculiar(space, "v1", status), replicas=2)
    space.roll(space.version("missing"))
    words = f"HTTP {status}, not asked as the kubelet asks"
    checked = _until_said(space, words)

    ran = space.undo(*BRIEF).expect(0)

    assert not {"PF121", "PF122", "PF123"} & checked
    assert f"not verified end to end: service shop:web/healthz: {words}" in ran.out


def _until_said(space: Space, words: str) -> set[str]:
    """Check until the Pods of the target answer so; return what was found then."""
    found: set[str] = set()

    def is_said() -> bool:
        nonlocal found
        ran = space.backout("check", DEPLOY).expect(0)
        found = ran.findings()
        return words in ran.out

    until(words, is_said)
    return found


def test_a_redirect_on_the_probes_own_path_is_well_as_for_the_kubelet(space: Space) -> None:
    moved = {"HEALTH_STATUS": "302"}
    space.deploy(space.version("v1", probe="/healthz", env=moved))
    space.roll(space.version("missing"))

    ran = space.undo(*BRIEF).expect(0)

    assert "healthy: service shop:web/healthz answered well" in ran.outcome


def test_of_two_containers_the_one_that_serves_is_asked_too(space: Space) -> None:
    exporter = {
        "name": "exporter",
        "image": space.image("v1"),
        "env": [{"name": "PORT", "value": "9090"}],
        "ports": [{"containerPort": 9090, "name": "metrics"}],
        "readinessProbe": {"httpGet": {"path": "/metrics", "port": "metrics"}, "periodSeconds": 1},
    }
    app = {
        "name": "app",
        "image": space.image("v1"),
        "ports": [{"containerPort": 8080, "name": "http"}],
        **asked_once(503),
    }
    front = service()
    front["spec"]["ports"].append({"name": "metrics", "port": 9090, "targetPort": "metrics"})
    space.create(front)
    space.deploy(space.version("v1", spec={"containers": [exporter, app]}), serve=False)
    space.roll(space.version("v2"), up=True)
    until("only v2 runs", lambda: len(space.pods()) == 1)

    ran = space.undo("--health-timeout", "9s", "--soak", "7s", "--health-successes", "2").expect(5)

    assert "service shop:web/healthz: HTTP 503, while the kubelet finds its Pods Ready" in ran.err
    assert space.records()[-1]["state"] == "UNDECIDED"


def test_a_service_that_selects_others_too_is_said_to_prove_nothing(space: Space) -> None:
    labels = {"metadata": {"labels": {"app": SHOP, "tier": "front"}}}
    front = service()
    front["spec"]["selector"] = {"tier": "front"}
    space.create(front)
    space.deploy(space.version("v1"), serve=False)
    space.merge({"spec": {"template": labels}})
    space.rolled_out()
    stray = {"name": "stray", "labels": {"tier": "front", "app": "other"}}
    container = {"name": "app", "image": space.image("v1"), "env": []}
    space.create(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": stray,
            "spec": {"containers": [container], "terminationGracePeriodSeconds": 1},
        }
    )
    until("it runs", lambda: space.get("Pod", "stray")["status"].get("phase") == "Running")

    ran = space.backout("verify", DEPLOY, "--soak", "1s").expect(0)

    assert "Service shop selects Pods of other workloads, too (stray)" in ran.both
    assert "healthy: the kubelet's own HTTP probe held for 1 s" in ran.outcome
    assert space.audited("get", "services") == []


def test_a_target_that_crashes_before_our_eyes_is_refused(space: Space) -> None:
    space.deploy(space.version("v1", env={"CRASH": "3"}), up=False)

    def is_looping() -> bool:
        statuses = [s for p in space.pods() for s in p["status"].get("containerStatuses", [])]
        reasons = [s["state"].get("waiting", {}).get("reason") for s in statuses]
        return bool(reasons) and set(reasons) == {"CrashLoopBackOff"}

    until("it crashes again and again", is_looping)
    space.roll(space.version("missing"))

    ran = space.backout("check", DEPLOY).expect(3)

    assert "no Pod of revision 1 is Ready, its only Pod crashes again and again" in ran.out
    assert "ends with exit code 3" in ran.out


def test_a_rehearsal_that_may_not_be_made_refuses_and_can_be_gone_on_without(
    space: Space,
) -> None:
    space.deploy(space.version("v1"))
    space.roll(space.version("missing"))
    env = user_with(space, [*RIGHTS])

    ran = space.undo("--rehearse", env=env).expect(3)

    assert "✗ Not rolled back (PF127). Nothing was changed." in ran.err
    assert "you may not create pods" in ran.err
    assert space.audited("patch", "deployments") == []

    space.undo("--rehearse", *accepting("PF127"), env=env).expect(0)
    assert space.image_now() == space.image("v1")


def test_no_older_code_is_tried_beyond_a_barrier(space: Space) -> None:
    space.deploy(space.version("v1"))
    note = {"annotations": {"backout.dev/barrier": "schema 39; older code refuses it"}}
    space.merge({"spec": {"template": {"metadata": note}}})
    space.roll(space.version("missing"))

    ran = space.undo("--rehearse", "--to-revision", "1", *accepting("PF116")).expect(3)

    assert "PF127" in ran.findings()
    assert "schema 39; older code refuses it" in ran.err
    assert space.audited("create", "pods") == []


def test_a_pod_that_holds_the_port_of_the_next_is_told_before_the_act(space: Space) -> None:
    """And the line that is given with it lets the same rollback move."""
    port = 20000 + int.from_bytes(os.urandom(2), "big") % 9000
    held = {"ports": [{"containerPort": 8080, "name": "http", "hostPort": port}]}
    first = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}
    space.deploy(space.version("v1", container=held), strategy=first)
    space.roll(space.version("v2", container=held), up=True)
    gone(space)
    space.merge({"spec": {"strategy": FRUGAL}})
    space.observed()

    checked = space.backout("check", DEPLOY).expect(0)
    stuck = space.undo(*BECAUSE, "--timeout", "12s")

    words = f"on node {space.cluster.node} a Pod that runs holds host port {port}"
    assert "PF605" in checked.findings()
    assert words in checked.out
    assert "the rollout cannot move" in checked.out
    assert stuck.code in {4, 5}, str(stuck)

    start = "fix: let one Pod go first (maxSurge 0, maxUnavailable 1): "
    line = shlex.split(checked.line(start).removeprefix(start))
    assert line[:3] == ["kubectl", "patch", "deployment/shop"]
    assert json.loads(line[-1])["spec"]["strategy"]["rollingUpdate"] == first["rollingUpdate"]
    space.kubectl(*line[1:]).expect(0)
    space.rolled_out()
