"""Much, slow, broken or absent: a finding or a skip, never a crash, never past the deadline."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from backout.core.preflight.snapshot import Need
from backout.core.references.references import Reference, Referent
from backout.steps.preflight.prepare import prepare
from backout.steps.reading import references
from tests.contract.api_server import failure, line_of
from tests.contract.scripted_server import Answer, Hang
from tests.contract.steps.shop import BAD, QUICK, deploy, running

if TYPE_CHECKING:
    from backout.core.plan.plan import Plan, Refusal
    from tests.contract.api_server import ApiServer
    from tests.contract.scripted_server import Received, Step

MANY = 200
NAMES = [f"settings-{number:03}" for number in range(MANY)]
FIRST = "ConfigMap settings-000, ConfigMap settings-001, ConfigMap settings-002 and 197 more"


def aim(api: ApiServer, **spec: Any) -> None:
    """Let revision 4 be the target, with this in its Pods' spec; revision 5 is bad."""

    def change(web: dict[str, Any]) -> None:
        web["spec"]["template"]["spec"].update(spec)

    api.edit("deployments", "web", change)
    deploy(api, "127.0.0.1:1/app:good-too")
    deploy(api, BAD)


def mounts(names: list[str]) -> list[dict[str, Any]]:
    return [{"name": name, "configMap": {"name": name}} for name in names]


async def prepared(api: ApiServer, *, preflight: float = 3.0) -> Plan | Refusal:
    limits = replace(QUICK, preflight=preflight)
    async with running(api, limits=limits) as run, asyncio.timeout(15):
        return await prepare(run)


def ids(plan: Plan | Refusal) -> set[str]:
    return {f.id for f in plan.findings}


def unreadable(plan: Plan | Refusal) -> Any:
    assert plan.preflight is not None
    return plan.preflight.snapshot.unreadable


def asked_for(api: ApiServer, line: str) -> int:
    return [line_of(r) for r in api.requests].count(line)


async def test_of_200_configmaps_each_is_asked_for_once_and_few_at_a_time(api: ApiServer) -> None:
    for name in NAMES:
        api.add("configmaps", {"metadata": {"name": name}})
    aim(api, volumes=mounts(NAMES))
    under_way, most = 0, 0

    async def before(request: Received) -> Step | None:
        nonlocal under_way, most
        if "/configmaps/" in request.path:
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0)
            under_way -= 1
        return None

    api.before = before
    plan = await prepared(api)

    assert plan.preflight is not None
    named = plan.preflight.snapshot.named
    assert all(named[Reference(kind=Referent.CONFIG_MAP, name=n)].exists for n in NAMES)
    assert asked_for(api, "GET configmaps") == MANY
    assert most <= references.AT_ONCE
    assert not {"PF201", "PF202"} & ids(plan)


async def test_200_configmaps_that_are_gone_are_one_finding(api: ApiServer) -> None:
    aim(api, volumes=mounts(NAMES))
    plan = await prepared(api)

    (found,) = [f for f in plan.findings if f.id in {"PF201", "PF202"}]
    assert f"200 objects that it needs are gone or lack a key: {FIRST}" in found.message
    assert asked_for(api, "GET configmaps") == MANY


async def test_configmaps_that_are_never_answered_are_skipped_within_the_budget(
    api: ApiServer,
) -> None:
    aim(api, volumes=mounts(NAMES))
    api.before = lambda request: Hang() if "/configmaps/" in request.path else None
    began = asyncio.get_running_loop().time()
    plan = await prepared(api, preflight=0.3)

    assert "0.3 s" in unreadable(plan)[Need.CONFIG_MAPS]
    assert asyncio.get_running_loop().time() - began < 5
    assert asked_for(api, "GET configmaps") <= references.AT_ONCE


async def test_a_service_account_that_is_gone_is_a_finding(api: ApiServer) -> None:
    aim(api, serviceAccountName="retired")
    plan = await prepared(api)

    (found,) = [f for f in plan.findings if f.id in {"PF201", "PF202"}]
    assert "ServiceAccount retired does not exist; the Pod needs it" in found.message


SIGNS: dict[str, dict[str, dict[str, str]]] = {
    "Argo CD": {"annotations": {"argocd.argoproj.io/tracking-id": "a:apps/Deployment:shop/web"}},
    "Flux Kustomization": {
        "labels": {
            "kustomize.toolkit.fluxcd.io/name": "a",
            "kustomize.toolkit.fluxcd.io/namespace": "shop",
        }
    },
    "Flux HelmRelease": {
        "labels": {
            "helm.toolkit.fluxcd.io/name": "a",
            "helm.toolkit.fluxcd.io/namespace": "shop",
        }
    },
}


@pytest.mark.parametrize("tool", SIGNS)
async def test_without_its_crd_an_owner_is_told_and_its_policy_is_not_known(
    api: ApiServer, tool: str
) -> None:
    def sign(web: dict[str, Any]) -> None:
        for key, told in SIGNS[tool].items():
            web["metadata"].setdefault(key, {}).update(told)

    api.edit("deployments", "web", sign)
    plan = await prepared(api)

    (found,) = [f for f in plan.findings if f.id == "PF402"]
    assert f"{tool} (a) owns deployment/web" in found.message


OLD = {
    "/horizontalpodautoscalers": Need.AUTOSCALERS,
    "/poddisruptionbudgets": Need.BUDGETS,
    "/resourcequotas": Need.QUOTAS,
    "/limitranges": Need.LIMIT_RANGES,
}
ANSWERS: dict[str, Step] = {
    "404": failure(404, "NotFound", "the server could not find the requested resource"),
    "403": failure(403, "Forbidden", "not allowed"),
    "500": failure(500, "InternalError", "etcdserver: leader changed"),
    "hanging": Hang(),
}


@pytest.mark.parametrize("answer", ANSWERS)
async def test_what_an_api_server_does_not_serve_or_answer_is_skipped_and_said(
    api: ApiServer, answer: str
) -> None:
    def before(request: Received) -> Step | None:
        return ANSWERS[answer] if request.path.endswith(tuple(OLD)) else None

    api.before = before
    plan = await prepared(api, preflight=1.0)

    assert set(OLD.values()) <= set(unreadable(plan))
    assert {"PF601", "PF603", "PF604"} <= {s.id for s in plan.skipped}


ROLLOUT = {
    "metadata": {"name": "canary"},
    "spec": {"workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}},
}
ARGO = "/apis/argoproj.io/v1alpha1"
NO_CRD = failure(404, "NotFound", "the server could not find the requested resource")


def kinds(*names: str) -> Answer:
    """Return what the API server says that it serves of Argo's."""
    listed = [{"name": name, "namespaced": True} for name in names]
    return Answer(json={"kind": "APIResourceList", "resources": listed})


SERVED = kinds("applications", "rollouts", "rollouts/status")


@pytest.mark.parametrize("replicas", [0, 1])
@pytest.mark.parametrize(
    ("served", "answer", "found", "skipped"),
    [
        (SERVED, Answer(json={"metadata": {}, "items": [ROLLOUT]}), True, False),
        (SERVED, Answer(json={"metadata": {}, "items": []}), False, False),
        (SERVED, ANSWERS["403"], False, True),
        (SERVED, Hang(), False, True),
        (NO_CRD, ANSWERS["403"], False, False),
        (kinds("applications"), ANSWERS["403"], False, False),
        (Answer(json={"resources": "rollouts"}), ANSWERS["403"], False, False),
        (ANSWERS["403"], ANSWERS["403"], False, True),
        (Hang(), ANSWERS["403"], False, True),
    ],
    ids=[
        "referred to",
        "of others",
        "denied",
        "hanging",
        "no CRD of Argo's",
        "Argo CD alone",
        "nonsense",
        "all is denied",
        "all hangs",
    ],
)
async def test_an_argo_rollout_that_uses_it_owns_it_and_no_such_kind_is_nothing_to_tell(
    api: ApiServer, replicas: int, served: Step, answer: Step, found: Any, skipped: Any
) -> None:
    def before(request: Received) -> Step | None:
        return served if request.path == ARGO else answer if "/rollouts" in request.path else None

    api.before = before
    api.edit("deployments", "web", lambda web: web["spec"].update(replicas=replicas))
    plan = await prepared(api, preflight=0.5)

    assert ("PF401" in ids(plan)) is found
    assert (Need.ROLLOUTS in unreadable(plan)) is skipped
