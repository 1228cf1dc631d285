"""The Role that `backout rbac` prints is enough, and no more than that, by the audit log."""

from __future__ import annotations

import json
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.cluster.acting.test_interruption import killed
from tests.cluster.checks.test_permissions import acting_as, may
from tests.cluster.space import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.command import Ran
    from tests.cluster.space import Space

Right = tuple[str, str, str]
"""Verb, group and resource, with its subresource behind a slash."""
RBAC = "/apis/rbac.authorization.k8s.io/v1"
PULL = "pull"

WHOLLY = {
    ("list", "", "resourcequotas"),
    ("list", "", "limitranges"),
    ("list", "policy", "poddisruptionbudgets"),
    ("list", "autoscaling", "horizontalpodautoscalers"),
    ("get", "storage.k8s.io", "storageclasses"),
}
"""Used only when the target's update could be held up by one, or a claim is waited for."""
NAMED = {
    ("get", "", "persistentvolumeclaims"),
    ("get", "scheduling.k8s.io", "priorityclasses"),
    ("get", "node.k8s.io", "runtimeclasses"),
    ("get", "", "serviceaccounts"),
}
"""Used only when the template names one."""
ONLY_WHEN = {
    "undo": {*WHOLLY, *NAMED, ("update", "coordination.k8s.io", "leases")},
    "check": {
        *WHOLLY,
        *NAMED,
        ("watch", "apps", "deployments"),  # the controller has not seen the newest change
    },
    "status": {
        ("get", "", "configmaps"),  # a key is missing in one
        ("get", "", "secrets"),  # the same
        ("list", "", "nodes"),  # no node takes a Pod
        ("get", "coordination.k8s.io", "leases"),  # it fails: is there a way back?
    },
}
OTHER_KINDS = {"statefulsets", "daemonsets", "controllerrevisions"}
BEHIND = {("list", "apps", "deployments"), ("watch", "apps", "deployments")}
"""Used only when the controller has not seen the newest change."""
TROUBLE = {
    ("get", "", "pods/log"),
    ("get", "", "configmaps"),
    ("get", "", "secrets"),
    ("list", "", "nodes"),
}
"""Used only when a container fails or no node takes a Pod."""
WRITTEN_AGAIN = ("update", "coordination.k8s.io", "leases")
ONLY_WHEN |= {
    "explain": {*TROUBLE, ("get", "coordination.k8s.io", "leases")},
    "ledger": set(),
    "history": {("list", "apps", "deployments")},  # a name that does not exist
    "diff": {("list", "apps", "deployments")},  # the same
    "mark": {*BEHIND, ("create", "coordination.k8s.io", "leases")},
    "verify": {*TROUBLE, WRITTEN_AGAIN},
    "resume": {
        *TROUBLE,
        ("create", "coordination.k8s.io", "leases"),
        ("patch", "apps", "deployments"),
        ("get", "", "services/proxy"),  # it is rolled out
    },
}


@contextmanager
def cluster_roles(space: Space) -> Iterator[None]:
    """Delete what has no namespace at the end of the test."""
    yield
    for kind in ("clusterroles", "clusterrolebindings"):
        for one in space.api.call("GET", f"{RBAC}/{kind}")["items"]:
            if one["metadata"]["name"].startswith(space.name):
                space.api.call("DELETE", f"{RBAC}/{kind}/{one['metadata']['name']}")


def allowed(space: Space, command: str) -> tuple[dict[str, str], set[Right]]:
    """Apply what `backout rbac` prints; return who has it, and what it grants."""
    account = f"only-{command}"
    space.until_closed(cluster_roles(space))
    space.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": account}})
    subject = ("--service-account", f"{space.name}:{account}", "--secret", PULL)
    name = ("--name", f"{space.name}-{command}")
    printed = space.backout("rbac", "--for", command, *subject, *name).expect(0).out
    file = space.folder / f"{command}.yaml"
    file.write_text(printed)
    space.kubectl("apply", "-f", str(file)).expect(0)
    env = acting_as(space, account)
    for kind, (verb, group, resource) in first_rights(printed).items():
        words = (verb, f"{resource}.{group}" if group else resource)
        until(f"the {kind} is in force", partial(may, space, env, *words))
    return env, rights(printed)


def first_rights(printed: str) -> dict[str, Right]:
    """Return the first right that each kind of Role grants."""
    return {
        document["kind"]: (rule["verbs"][0], rule["apiGroups"][0], rule["resources"][0])
        for document in yaml.safe_load_all(printed)
        for rule in document.get("rules", ())[:1]
    }


def rights(printed: str) -> set[Right]:
    """Return what the Roles of a manifest grant, but for what the other kinds need."""
    return {
        (verb, group, resource)
        for document in yaml.safe_load_all(printed)
        for rule in document.get("rules", ())
        for verb in rule["verbs"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        if resource not in OTHER_KINDS
    }


def asked(space: Space, command: str) -> tuple[set[Right], set[Right]]:
    """Return what backout asked the API server for as this account, and what was denied of it."""
    who = f"system:serviceaccount:{space.name}:only-{command}"
    with space.cluster.audit_log.open("rb") as log:
        lines = [s for s in log if who.encode() in s and b"backout/" in s]
    mine = [
        e
        for e in map(json.loads, lines)
        if e["user"]["username"] == who and e["userAgent"].startswith("backout/")
    ]
    told = [(_right(e), e.get("responseStatus", {}).get("code")) for e in mine if "objectRef" in e]
    # What everybody may, by system:basic-user.
    told = [(r, code) for r, code in told if r[1] != "authorization.k8s.io"]
    return {r for r, _ in told}, {r for r, code in told if code == 403}


def _right(entry: dict[str, object]) -> Right:
    reference = entry["objectRef"]
    assert isinstance(reference, dict)
    part = f"/{reference['subresource']}" if "subresource" in reference else ""
    return str(entry["verb"]), reference.get("apiGroup", ""), f"{reference['resource']}{part}"


def check_exact(space: Space, command: str, granted: set[Right], *, at_least: set[Right]) -> None:
    used, denied = asked(space, command)

    assert denied == set()
    assert used >= at_least
    assert used <= granted
    assert granted - used <= ONLY_WHEN[command]


def uses(name: str, key: str) -> dict[str, object]:
    reference = {"configMapKeyRef": {"name": name, "key": key}}
    return {"env": [{"name": key, "valueFrom": reference}]}


@pytest.fixture
def stuck(space: Space) -> Space:
    """A rollout that is stuck at an image that is missing; both revisions name what they use."""
    for kind, name in (("ConfigMap", "settings"), ("Secret", PULL)):
        space.create({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, "data": {}})
    space.merge({"data": {"URL": "x"}}, kind="ConfigMap", name="settings")
    more: dict[str, Any] = {
        "container": uses("settings", "URL"),
        "spec": {
            "volumes": [{"name": "v", "secret": {"secretName": PULL, "optional": True}}],
        },
    }
    space.deploy(space.version("v1", **more))
    space.roll(space.version("missing", **more))
    return space


def skipped(ran: Ran) -> list[str]:
    return [s for s in ran.both.splitlines() if s.startswith("skipped ")]


def test_undo_works_with_exactly_its_role_where_it_succeeds_and_where_it_fails(
    stuck: Space,
) -> None:
    env, granted = allowed(stuck, "undo")
    well = stuck.undo(env=env).expect(0)
    stuck.merge({"spec": {"progressDeadlineSeconds": 6}})
    stuck.deploy(
        stuck.version("v1", probe="/not-there"),
        name="broken",
        serve=False,
        up=False,
        progressDeadlineSeconds=6,
    )
    stuck.roll(stuck.version("v2"), name="broken", up=True)
    badly = stuck.undo("--to-revision", "1", name="broken", env=env).expect(4)

    assert "healthy: service shop:web/ready" in well.outcome
    assert "/not-there on 8080" in badly.outcome
    assert [s for s in skipped(well) if "create pods" not in s] == []
    written = {
        ("patch", "apps", "deployments"),
        ("create", "coordination.k8s.io", "leases"),
        ("create", "", "events"),
    }
    read = {("get", "", "pods/log"), ("get", "", "services/proxy"), ("get", "", "secrets")}
    check_exact(stuck, "undo", granted, at_least=written | read)


def test_check_works_with_exactly_its_role_and_asks_for_no_right_to_write(stuck: Space) -> None:
    env, granted = allowed(stuck, "check")
    ran = stuck.backout("check", "deploy/shop", env=env).expect(3)

    assert ran.findings() >= {"PF803", "PF804"}
    assert "target   revision 1 (" in ran.out
    assert {verb for verb, _, _ in granted} == {"get", "list", "watch"}
    check_exact(stuck, "check", granted, at_least={("get", "", "pods/proxy")})


def test_status_works_with_exactly_its_role(space: Space) -> None:
    space.deploy(space.version("v1"))
    env, granted = allowed(space, "status")
    space.backout("status", "deploy/shop", env=env).expect(0)
    space.deploy(space.version("v1", env={"CRASH": "1"}), name="broken", serve=False, up=False)
    space.backout("status", "deploy/broken", "--fail-fast", env=env).expect(4)

    assert {verb for verb, _, _ in granted} == {"get", "list", "watch"}
    check_exact(space, "status", granted, at_least={("watch", "", "pods"), ("get", "", "pods/log")})


def test_what_reads_and_what_remembers_works_with_exactly_its_role(space: Space) -> None:
    space.deploy(space.version("v1"))
    for command, *words in (
        ("verify", "verify", "deploy/shop"),
        ("mark", "ledger", "mark", "deploy/shop", "--healthy", "--reason", "INC-7"),
        ("explain", "explain", "deploy/shop"),
    ):
        env, granted = allowed(space, command)
        space.backout(*words, env=env).expect(0)
        check_exact(space, command, granted, at_least={("list", "apps", "replicasets")})

    for command in ("history", "diff"):
        env, granted = allowed(space, command)
        space.backout(command, "deploy/shop", env=env).expect(0 if command == "history" else 1)
        check_exact(space, command, granted, at_least={("list", "apps", "replicasets")})
        assert {verb for verb, _, _ in granted} <= {"get", "list"}

    env, granted = allowed(space, "ledger")
    space.backout("ledger", "deploy/shop", env=env).expect(0)
    space.backout("ledger", env=env).expect(0)
    check_exact(space, "ledger", granted, at_least=set())


def test_resume_works_with_exactly_its_role(space: Space) -> None:
    killed(space)
    env, granted = allowed(space, "resume")
    space.backout("resume", "deploy/shop", "--timeout", "3s", env=env).expect(5)

    check_exact(space, "resume", granted, at_least={WRITTEN_AGAIN, ("create", "", "events")})


def test_with_a_local_ledger_nothing_is_asked_of_leases(stuck: Space) -> None:
    env, _ = allowed(stuck, "undo")
    stuck.undo("--ledger", "local", env=env).expect(0)
    used, _ = asked(stuck, "undo")

    assert not [r for r in used if r[2] == "leases"]
    assert ("patch", "apps", "deployments") in used


@pytest.mark.every_case
def test_what_could_not_be_looked_at_is_told_with_the_permission_and_where_to_get_it(
    stuck: Space,
) -> None:
    env, _ = allowed(stuck, "status")
    ran = stuck.backout("check", "deploy/shop", env=env).expect(3)
    lines = skipped(ran)
    (services,) = [s for s in lines if "(lacks: list services)" in s]

    assert 'cannot list resource "services"' in services
    assert ran.out.count("backout rbac --for undo prints the Role that grants it") == 1
    assert ran.out.index(lines[-1]) < ran.out.index("would not be rolled back")
