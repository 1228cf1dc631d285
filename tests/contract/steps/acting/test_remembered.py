"""Which versions of what a target names a rollback remembers when it ends healthy."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.contract.api_server import ApiServer, is_undo
from tests.contract.steps.crash import crashed
from tests.contract.steps.shop import (
    GOOD,
    deploy,
    expire_lock,
    records,
    template,
    undone,
)
from tests.contract.steps.test_mark import memory
from tests.contract.steps.test_resume import resumed

HOUR = timedelta(hours=1)
KEY = "ConfigMap/settings"


def settings(api: ApiServer, *, shifted: timedelta = -HOUR) -> str:
    """Let the target name a ConfigMap that was written at a time; return its version."""
    web = template(GOOD)
    web["spec"]["containers"][0]["envFrom"] = [{"configMapRef": {"name": "settings"}}]
    api.edit("replicasets", "web-1", lambda r: r["spec"].update(template=web))
    at = (api.now() + shifted).strftime("%Y-%m-%dT%H:%M:%SZ")
    wrote = {"manager": "ci", "time": at, "fieldsV1": {"f:data": {"f:a": {}}}}
    made = api.add(
        "configmaps",
        {"metadata": {"name": "settings", "managedFields": [wrote]}, "data": {"a": "s3cr3t"}},
    )
    return str(made["metadata"]["resourceVersion"])


def rewrite(api: ApiServer) -> None:
    api.edit("configmaps", "settings", lambda c: c.update(data={"a": "other"}))


def upgrade(api: ApiServer) -> None:
    """Fill in a field that nobody wrote, as an API server does with its new defaults."""
    for resource in ("replicasets", "deployments"):
        for one in api.all(resource):
            api.edit(resource, one["metadata"]["name"], _filled_in)


def _filled_in(one: Any) -> None:
    one["spec"]["template"]["spec"]["hostUsers"] = True


def remembered(api: ApiServer) -> dict[str, str]:
    """Return the versions of the one template that is recorded healthy."""
    (one,) = [m for m in memory(api).values() if m["lastHealthyAt"] is not None]
    found: dict[str, str] = one["references"]
    return found


async def test_a_healthy_undo_remembers_the_versions_that_were_there_before_its_patch(
    api: ApiServer,
) -> None:
    before = settings(api)

    def after(request: Any, _: Any) -> None:
        if is_undo(request):
            rewrite(api)

    api.after = after
    told = await undone(api)

    assert told.result == "succeeded", told.text
    assert records(api)[0]["health"] == "Healthy"
    assert remembered(api) == {KEY: before}


async def test_a_rollback_that_may_not_read_them_goes_on_and_keeps_what_was_known(
    api: ApiServer,
) -> None:
    before = settings(api)
    await undone(api)
    deploy(api, "127.0.0.1:1/app:bad5")
    rewrite(api)
    api.denied.add("get configmaps")
    told = await undone(api)

    assert told.result == "succeeded", told.text
    assert remembered(api) == {KEY: before}


async def test_a_rollback_that_is_not_healthy_remembers_no_version(api: ApiServer) -> None:
    settings(api)
    api.edit("services", "web", lambda s: s["spec"].update(selector={"app": "other"}))
    told = await undone(api)

    assert told.result == "succeeded", told.text
    assert records(api)[0]["health"] == "NotVerified"
    assert 1 not in memory(api)


async def test_a_resumed_rollback_remembers_what_was_not_written_since_it_began(
    api: ApiServer,
) -> None:
    before = settings(api)
    await crashed(api, is_undo, applied=True)
    expire_lock(api)
    told = await resumed(api)

    assert told.result == "succeeded", told.text
    assert remembered(api) == {KEY: before}


async def test_a_resumed_rollback_remembers_no_version_that_its_pods_may_not_have_run_with(
    api: ApiServer,
) -> None:
    settings(api, shifted=HOUR)
    await crashed(api, is_undo, applied=True)
    expire_lock(api)
    told = await resumed(api)

    assert told.result == "succeeded", told.text
    assert remembered(api) == {}


async def test_what_it_knows_stays_known_where_the_api_server_fills_in_a_new_field(
    api: ApiServer,
) -> None:
    await undone(api)
    before = memory(api)
    upgrade(api)
    deploy(api, "127.0.0.1:1/app:bad5")
    told = await undone(api)

    assert told.result == "succeeded", told.text
    assert "recorded healthy" in told.of("target")[0]
    (good,) = [m for m in memory(api).values() if m["lastHealthyAt"] is not None]
    (first,) = [m for m in before.values() if m["lastHealthyAt"] is not None]
    assert good["firstHealthyAt"] == first["firstHealthyAt"]
