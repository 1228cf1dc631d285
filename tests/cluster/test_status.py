"""`backout status` and `backout explain`: what is final is told within seconds, with its cause."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.cluster.manifests import SHOP

if TYPE_CHECKING:
    from tests.cluster.command import Ran
    from tests.cluster.space import Space

DEPLOY = f"deploy/{SHOP}"
SETTINGS = {"volumes": [{"name": "settings", "configMap": {"name": "never-made"}}]}
MOUNT = {"volumeMounts": [{"name": "settings", "mountPath": "/settings"}]}
PENDING = {"volumes": [{"name": "disk", "persistentVolumeClaim": {"claimName": "never-made"}}]}
INIT = {
    "initContainers": [{"name": "first", "image": "", "env": [{"name": "CRASH", "value": "7"}]}]
}


def status(space: Space, *words: str) -> Ran:
    return space.backout("status", DEPLOY, *words)


def causes(ran: Ran, *, final: bool) -> list[str]:
    return [e["code"] for e in ran.events if e["event"] == "cause" and e["final"] is final]


def rolled(space: Space, **how: Any) -> None:
    """A good version is up; one made like this is rolled out over it."""
    tag = how.pop("tag", "v2")
    space.deploy(space.version("v1"))
    version = space.version(tag, **how)
    for one in version.spec.get("initContainers", ()):
        one["image"] = space.image("v1")
    space.roll(version)


FINAL_AT_ONCE: dict[str, tuple[dict[str, Any], str]] = {
    "image missing": ({"tag": "never-pushed"}, "IMAGE_NOT_FOUND"),
    "image invalid": ({"image": "127.0.0.1:25000/Not:Valid:"}, "IMAGE_INVALID"),
    "never pulled": (
        {"tag": "never-pushed", "container": {"imagePullPolicy": "Never"}},
        "IMAGE_NEVER_PULL",
    ),
    "ConfigMap missing": (
        {"container": {"envFrom": [{"configMapRef": {"name": "never-made"}}]}},
        "CONFIG_MISSING",
    ),
    "Secret missing": (
        {"container": {"envFrom": [{"secretRef": {"name": "never-made"}}]}},
        "CONFIG_MISSING",
    ),
    "volume missing": ({"container": MOUNT, "spec": SETTINGS}, "CONFIG_MISSING"),
    "claim missing": ({"spec": PENDING}, "VOLUME"),
    "no such command": ({"container": {"command": ["/no-such-program"]}}, "CONTAINER_START"),
    "another path": ({"probe": "/not-there"}, "PROBE_READINESS"),
    "no such account": ({"spec": {"serviceAccountName": "never-made"}}, "ADMISSION"),
}


@pytest.mark.parametrize("name", FINAL_AT_ONCE)
def test_what_lasts_until_somebody_acts_fails_long_before_any_deadline(
    space: Space, name: str
) -> None:
    how, code = FINAL_AT_ONCE[name]
    rolled(space, **how)
    ran = status(space, "-o", "json", "--timeout", "40s").expect(4)

    assert causes(ran, final=True)[0] == code, str(ran)
    assert ran.events[-1]["verdict"] == "Failed"
    assert ran.events[-1]["remedy"]
    assert "successfully rolled out" not in ran.both


def test_a_full_quota_is_final_where_the_rollout_frees_nothing_of_it(space: Space) -> None:
    space.deploy(space.version("v1"))
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"}}
    path = f"/api/v1/namespaces/{space.name}/resourcequotas"
    space.api.call("POST", path, {**quota, "spec": {"hard": {"pods": "1"}}})
    space.roll(space.version("v2"))
    ran = status(space, "-o", "json", "--timeout", "40s").expect(4)

    assert causes(ran, final=True)[0] == "QUOTA", str(ran)


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"env": {"CRASH": "3"}}, "CRASH_LOOP"),
        ({"spec": INIT}, "INIT_FAILED"),
    ],
    ids=["crash", "init"],
)
def test_a_crash_is_suspected_at_its_first_exit_and_final_at_the_third_restart(
    space: Space, how: dict[str, Any], code: str
) -> None:
    rolled(space, **how)
    hasty = status(space, "-o", "json", "--fail-fast", "--timeout", "40s").expect(4)
    ran = status(space, "-o", "json", "--timeout", "80s").expect(4)

    assert causes(hasty, final=True)[0] == code
    assert code in causes(ran, final=True), str(ran)
    assert "3 restarts" in ran.events[-1]["message"]
    (logs,) = [e for e in ran.events if e["event"] == "logs"]
    assert any("starts" in line for line in logs["lines"])


def test_a_pod_that_no_node_takes_is_final_after_fifteen_seconds(space: Space) -> None:
    rolled(space, spec={"nodeSelector": {"disk": "none-has-it"}})
    ran = status(space, "-o", "json", "--timeout", "50s").expect(4)

    assert causes(ran, final=False)[0] == "UNSCHEDULABLE"
    assert causes(ran, final=True)[0] == "UNSCHEDULABLE"


def test_a_container_that_restarts_after_it_was_available_is_no_success(space: Space) -> None:
    """Its liveness probe fails: kubectl calls it rolled out, and it restarts for ever."""
    probe = {"httpGet": {"path": "/never", "port": "http"}, "periodSeconds": 1}
    rolled(space, container={"livenessProbe": {**probe, "failureThreshold": 2}})
    ran = status(space, "--soak", "6s", "--timeout", "100s").expect(4)

    assert "not settled yet" in ran.err
    assert "successfully rolled out" not in ran.both
    assert "its own probe" in ran.err


TWINS: dict[str, dict[str, Any]] = {
    "slow inside its start-up probe": {
        "env": {"SLOW_START": "8s"},
        "container": {
            "startupProbe": {
                "httpGet": {"path": "/ready", "port": "http"},
                "periodSeconds": 1,
                "failureThreshold": 30,
            }
        },
    },
    "slow inside its readiness": {"env": {"SLOW_START": "8s"}},
    "scaled meanwhile": {},
}


@pytest.mark.parametrize("name", TWINS)
def test_a_rollout_that_is_fine_is_never_failed(space: Space, name: str) -> None:
    rolled(space, **TWINS[name])
    if name == "scaled meanwhile":
        space.merge({"spec": {"replicas": 3}})
    ran = status(space, "--timeout", "60s").expect(0)

    assert f'deployment "{SHOP}" successfully rolled out' in ran.out
    assert "cause: " not in ran.out


def test_what_was_missing_and_comes_late_is_no_failure_when_it_is_there(space: Space) -> None:
    rolled(space, container={"envFrom": [{"configMapRef": {"name": "late"}}]})
    status(space, "--timeout", "30s").expect(4)
    late = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "late"}}
    space.create(late)
    space.rolled_out()

    status(space, "--timeout", "30s").expect(0)


def test_the_deadline_of_the_rollout_before_is_not_this_ones(space: Space) -> None:
    """Its ProgressDeadlineExceeded still stands there for a moment: kubectl fails on it."""
    space.deploy(space.version("v1"), progressDeadlineSeconds=3)
    space.roll(space.version("v2", env={"READY": "never"}))
    status(space, "--timeout", "30s").expect(4)
    space.roll(space.version("v2"))

    status(space, "--timeout", "30s").expect(0)


def test_somebody_elses_newer_rollout_supersedes_this_one(space: Space) -> None:
    rolled(space, env={"READY": "never"})
    argv = ("status", DEPLOY, "--timeout", "30s")
    started = space.started(*argv)
    started.until("Waiting for deployment")
    space.kubectl("set", "image", DEPLOY, f"app={space.image('v3')}").expect(0)
    ran = started.ended().expect(5)

    assert "superseded: kubectl" in ran.outcome
    assert "changed the Pod template" in ran.outcome


def test_a_revision_that_is_not_the_current_one_is_an_error_in_kubectls_words(
    space: Space,
) -> None:
    space.deploy(space.version("v1"))
    words = "desired revision (7) is different from the running revision (1)"

    assert words in status(space, "--revision", "7").expect(1).err
    status(space, "--revision", "1").expect(0)


def test_explain_tells_what_is_wrong_from_one_read_and_changes_nothing(space: Space) -> None:
    rolled(space, tag="never-pushed")
    status(space, "--timeout", "30s").expect(4)
    before = space.get()["metadata"]["resourceVersion"]
    ran = space.backout("explain", DEPLOY).expect(4)

    assert "never-pushed is gone from the registry, or never was there" in ran.out
    assert "[IMAGE_NOT_FOUND]" in ran.out
    assert space.get()["metadata"]["resourceVersion"] == before
    assert space.wrote() == []


def test_explain_of_a_rollout_that_is_complete_and_of_one_under_way(space: Space) -> None:
    space.deploy(space.version("v1"))
    fine = space.backout("explain", DEPLOY).expect(0)
    space.roll(space.version("v2", env={"READY": "never"}))
    going = space.backout("explain", DEPLOY).expect(5)

    assert fine.outcome == "deployment/shop is rolled out"
    assert "is progressing: Waiting for deployment" in going.both
    assert "ERROR" not in going.both


def test_after_a_failed_rollback_the_next_candidate_is_named_with_its_line(space: Space) -> None:
    space.deploy(space.version("v1"))
    space.roll(space.version("missing"))
    space.roll(space.version("missing-too"))
    ran = space.undo("--to-revision", "2", "--accept", "PF301", "--reason", "try").expect(4)

    (line,) = [s for s in ran.out.splitlines() if s.startswith("next candidate: ")]
    assert line.startswith("next candidate: revision 1, newest other revision with Ready Pods")
    assert line.endswith(f"backout undo deployment/shop -n {space.name} --to-revision 1")
