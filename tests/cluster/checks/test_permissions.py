"""Least privilege: the denied is named with the Role's rule, the optional is done without."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.cluster.space import until

if TYPE_CHECKING:
    from tests.cluster.command import Ran
    from tests.cluster.space import Space

RBAC = "rbac.authorization.k8s.io"
Rule = dict[str, list[str]]


def rule(group: str, resource: str, *verbs: str) -> Rule:
    return {"apiGroups": [group], "resources": [resource], "verbs": list(verbs)}


RIGHTS = (
    rule("apps", "deployments", "get", "list", "watch", "patch"),
    rule("apps", "replicasets", "list", "watch"),
    rule("coordination.k8s.io", "leases", "get", "create", "update"),
    rule("", "pods", "list", "watch"),
    rule("", "events", "list", "watch", "create"),
    rule("", "services", "list"),
    rule("", "pods/proxy", "get"),
    rule("", "services/proxy", "get"),
    rule("", "serviceaccounts", "get"),
    rule("", "configmaps", "get"),
    rule("", "persistentvolumeclaims", "get"),
    rule("", "secrets", "get"),
    rule("", "resourcequotas", "list"),
    rule("", "limitranges", "list"),
    rule("autoscaling", "horizontalpodautoscalers", "list"),
    rule("policy", "poddisruptionbudgets", "list"),
)
OPT_IN = {"PF308", "PF309", "PF504", "PF505", "PF506", "PF602", "PF605", "PF903"}
"""What looks at nodes, or tries a Pod as a dry run, wants rights that not everybody gives."""


def skipped(ran: Ran) -> set[str]:
    """Return the ids of the checks that were not made."""
    lines = [s for s in ran.err.splitlines() if s.startswith("skipped ")]
    return {i for line in lines for i in line.split(":")[0].removeprefix("skipped ").split(", ")}


def without(*resources: str) -> list[Rule]:
    return [r for r in RIGHTS if r["resources"][0] not in resources]


def user_with(space: Space, rules: list[Rule]) -> dict[str, str]:
    """Make a ServiceAccount with these rights; return the environment that acts as it."""
    return grant(space, "on-call", rules)


def grant(space: Space, account: str, rules: list[Rule]) -> dict[str, str]:
    """Make a ServiceAccount of this name with these rights; return the environment of it."""
    metadata = {"name": account}
    space.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
    api = f"{RBAC}/v1"
    space.create({"apiVersion": api, "kind": "Role", "metadata": metadata, "rules": rules})
    space.create(
        {
            "apiVersion": api,
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": account},
            "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": space.name}],
        }
    )
    env = acting_as(space, account)
    until("the Role is in force", lambda: may(space, env, "list", "replicasets"))
    return env


def may(space: Space, env: dict[str, str], *words: str) -> bool:
    asked = ("--kubeconfig", env["KUBECONFIG"], "auth", "can-i", *words)
    return space.kubectl(*asked).code == 0


def acting_as(space: Space, account: str) -> dict[str, str]:
    """Return the environment that acts as a ServiceAccount of the namespace."""
    token = space.kubectl("create", "token", account).expect(0).out.strip()
    config: dict[str, Any] = json.loads(space.cluster.kubeconfig.read_text())
    config["users"].append({"name": account, "user": {"token": token}})
    context = {"cluster": "sandbox", "user": account, "namespace": space.name}
    config["contexts"].append({"name": account, "context": context})
    config["current-context"] = account
    kubeconfig = space.folder / f"{account}.json"
    kubeconfig.write_text(json.dumps(config))
    return {"KUBECONFIG": str(kubeconfig)}


@pytest.fixture
def shop(space: Space) -> Space:
    space.deploy(space.version("v1"))
    space.roll(space.version("missing"))
    return space


def test_who_may_do_nothing_is_told_verb_resource_and_the_role(shop: Space) -> None:
    ran = shop.undo("--context", "sandbox-nobody").expect(1)

    assert 'User "nobody" cannot get resource "deployments" in API group "apps"' in ran.err
    assert shop.name in ran.err
    assert (
        "apiGroups: [apps], resources: [deployments], verbs: [get, list, watch, patch]" in ran.err
    )
    assert shop.wrote() == []


def test_the_documented_rights_are_enough(shop: Space) -> None:
    ran = shop.undo(env=user_with(shop, [*RIGHTS])).expect(0)

    assert "healthy: service shop:web/ready" in ran.outcome
    assert skipped(ran) == OPT_IN
    assert "note:" not in ran.err
    assert [e["reason"] for e in shop.events()] == ["RollbackSucceeded"]
    assert "on-call" in shop.records()[-1]["actor"]


def test_who_may_not_delete_pods_is_told_before_the_rollback_that_asks_for_it(shop: Space) -> None:
    ran = shop.undo("--replace-stuck-pods", env=user_with(shop, [*RIGHTS])).expect(3)

    assert "PF612" in ran.findings()
    assert "resources: [pods], verbs: [delete]" in ran.err
    assert shop.wrote() == []


@pytest.mark.every_case
def test_without_patch_it_is_refused_before_anything_is_written(shop: Space) -> None:
    readers = [*without("deployments"), rule("apps", "deployments", "get", "list", "watch")]

    ran = shop.undo(env=user_with(shop, readers)).expect(3)

    assert "you may not patch deployments in namespace " in ran.err
    assert "PF803" in ran.findings()
    assert "to roll back anyway" not in ran.err
    assert shop.wrote() == []


def test_without_leases_it_is_refused_with_the_rule(shop: Space) -> None:
    ran = shop.undo(env=user_with(shop, without("leases"))).expect(3)

    assert "PF804" in ran.findings()
    assert "backout keeps its lock and its record in a Lease" in ran.err
    granted = (
        "{apiGroups: [coordination.k8s.io], resources: [leases], verbs: [get, create, update]}"
    )
    assert granted in ran.err
    assert "PF801" in skipped(ran)
    assert "to roll back anyway" not in ran.err
    assert [w for w in shop.wrote() if w["responseStatus"]["code"] < 300] == []
    assert shop.image_now() == shop.image("missing")


def test_without_events_it_goes_on_and_says_so(shop: Space) -> None:
    ran = shop.undo(env=user_with(shop, without("events"))).expect(0)

    assert ran.line("note: no Event on deployment/shop: ").count("events") >= 1
    assert "healthy: " in ran.outcome
    assert shop.events() == []


@pytest.mark.every_case
def test_without_events_a_failure_is_told_from_the_pods_own_status(space: Space) -> None:
    space.deploy(
        space.version("v1", probe="/not-there"), serve=False, up=False, progressDeadlineSeconds=6
    )
    space.roll(space.version("v2"), up=True)

    ran = space.undo("--to-revision", "1", env=user_with(space, without("events"))).expect(4)

    assert "note: events cannot be watched: " in ran.err
    assert "no progress for 6 s (progressDeadlineSeconds)" in ran.outcome
    assert "/not-there on 8080" in ran.outcome, str(ran)
    assert "resources: [pods/log], verbs: [get]" in ran.err


@pytest.mark.every_case
def test_without_services_it_goes_on_and_health_is_not_claimed(shop: Space) -> None:
    ran = shop.undo(env=user_with(shop, without("services"))).expect(0)

    assert "not verified end to end: the Services could not be read" in ran.outcome
    assert 'apiGroups: [""], resources: [services], verbs: [list]' in ran.both
    assert "healthy: " not in ran.both
    assert shop.image_now() == shop.image("v1")


@pytest.mark.every_case
def test_without_the_pod_proxy_the_targets_health_is_not_known(shop: Space) -> None:
    ran = shop.undo(env=user_with(shop, without("pods/proxy"))).expect(0)

    assert "WARN PF123: the health of 1 of 1 running Pods of revision 1 could not be" in ran.err
    assert 'apiGroups: [""], resources: [pods/proxy], verbs: [get]' in ran.err
    assert "healthy: service shop:web/ready" in ran.outcome


def test_without_the_service_proxy_health_is_not_claimed(shop: Space) -> None:
    env = user_with(shop, without("services/proxy"))

    began = time.monotonic()
    ran = shop.undo(env=env).expect(0)

    # Being forbidden does not pass: nobody waits a whole health time-out for it.
    assert time.monotonic() - began < 30
    assert "not verified end to end: service shop:web/ready: " in ran.outcome
    assert 'apiGroups: [""], resources: [services/proxy], verbs: [get]' in ran.out
    assert "healthy: " not in ran.both
    assert shop.records()[-1]["health"] == "NotVerified"


@pytest.mark.every_case
def test_without_the_service_proxy_a_required_health_refuses_before_the_act(shop: Space) -> None:
    ran = shop.undo("--require-health", env=user_with(shop, without("services/proxy"))).expect(3)

    assert "PF118" in ran.findings()
    assert shop.image_now() == shop.image("missing")


def test_without_pods_what_could_not_be_checked_is_named(shop: Space) -> None:
    ran = shop.undo(env=user_with(shop, without("pods", "pods/proxy"))).expect(0)

    assert {"PF110", "PF115"} <= ran.findings()
    assert 'cannot list resource "pods"' in ran.err
    assert 'deployment "shop" successfully rolled out' in ran.out.splitlines()
    assert shop.image_now() == shop.image("v1")


def test_a_token_that_is_not_known_is_one_sentence_with_a_remedy(shop: Space) -> None:
    kubeconfig = shop.folder / "expired.json"
    config = json.loads(shop.cluster.kubeconfig.read_text())
    for user in config["users"]:
        user["user"]["token"] = "expired"
    kubeconfig.write_text(json.dumps(config))

    ran = shop.undo("--kubeconfig", str(kubeconfig)).expect(1)

    assert ran.err.startswith("ERROR: ")
    assert len(ran.err.splitlines()) <= 3, str(ran)
    assert "expired" not in ran.err.replace("has expired", "")
