"""The after-check of a good deploy: judged, asked, held, and remembered beside the lock."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from backout.core.errors import ConfigError
from backout.core.preflight.request import Request
from backout.steps.verify import verify
from tests.contract.api_server import ApiServer, is_undo, line_of
from tests.contract.scripted_server import Answer, Received, Step
from tests.contract.steps.crash import crashed
from tests.contract.steps.shop import (
    GOOD,
    LEASE,
    LEDGER,
    QUICK,
    Told,
    control,
    deploy,
    expire_lock,
    holder,
    image,
    running,
    shop,
    template,
    undone,
)
from tests.contract.steps.test_mark import DIGEST, memory

if TYPE_CHECKING:
    from collections.abc import Callable

NEXT = "127.0.0.1:1/app:next"


async def verified(api: ApiServer, *, number: int | None = None, **settings: Any) -> Told:
    told = Told()
    settings = {"policy": Request(successes=2, reason="build 311"), "actor": "ci", **settings}
    async with running(api, told, **settings) as run, asyncio.timeout(30):
        told.outcome = await verify(run, number=number)
    return told


def good_deploy(api: ApiServer) -> None:
    """Deploy a third version that is up, with a digest that its Pod runs."""
    deploy(api, NEXT)

    def runs(pod: dict[str, Any]) -> None:
        pod["status"]["containerStatuses"] = [
            {"name": "app", "imageID": f"127.0.0.1:1/app@{DIGEST}", "ready": True}
        ]

    api.edit("pods", "web-3-0", runs)


async def test_a_healthy_deploy_is_remembered_with_its_digests_and_by_whom(api: ApiServer) -> None:
    good_deploy(api)
    told = await verified(api)
    one = memory(api)[3]

    assert told.result == "succeeded", told.text
    assert told.message == (
        "deployment/web is rolled out and healthy: service web:80/ready answered well 2 times in a "
        "row"
    )
    assert told.of("recorded") == [
        "recorded healthy: revision 3; a later rollback may return to it"
    ]
    assert one["lastHealthyAt"] == one["firstHealthyAt"] is not None
    assert one["images"] == {"app": DIGEST}
    assert one["told"].startswith("verified by ci: build 311; service web:80/ready answered well")
    assert holder(api) == ""
    assert image(api) == NEXT


async def test_the_versions_of_what_it_names_are_remembered_and_no_values(api: ApiServer) -> None:
    made = api.add("configmaps", {"metadata": {"name": "settings"}, "data": {"a": "s3cr3t"}})
    good_deploy(api)

    def names(web: dict[str, Any]) -> None:
        source = {"configMapRef": {"name": "settings"}}
        web["spec"]["template"]["spec"]["containers"][0]["envFrom"] = [source]

    api.edit("deployments", "web", names)
    await verified(api)

    version = made["metadata"]["resourceVersion"]
    assert memory(api)[4]["references"] == {"ConfigMap/settings": version}
    assert "s3cr3t" not in api.get("leases", LEASE)["metadata"]["annotations"][LEDGER]


async def test_what_was_verified_is_what_the_next_undo_goes_back_to(api: ApiServer) -> None:
    good_deploy(api)
    await verified(api)
    deploy(api, "127.0.0.1:1/app:other")
    deploy(api, "127.0.0.1:1/app:bad5")
    told = await undone(api, policy=Request(successes=2, to_last_healthy=True))

    assert told.result == "succeeded", told.text
    assert image(api) == NEXT
    assert told.of("passed_over") == ["not chosen: revision 4, it was not recorded healthy"]


async def test_without_any_record_to_last_healthy_refuses_and_changes_nothing(
    api: ApiServer,
) -> None:
    told = await undone(api, policy=Request(to_last_healthy=True))

    assert told.result == "refused"
    assert "Not rolled back (PF113)" in told.message
    assert not any(map(is_undo, api.requests))


async def test_a_failed_rollout_is_failed_and_never_remembered(api: ApiServer) -> None:
    def waits(pod: dict[str, Any]) -> None:
        state = {"waiting": {"reason": "InvalidImageName", "message": "no such name"}}
        pod["status"]["containerStatuses"] = [{"name": "app", "ready": False, "state": state}]

    api.edit("pods", "web-2-0", waits)
    told = await verified(api)

    assert told.result == "failed", told.text
    assert "the rollout of deployment/web failed" in told.message
    assert api.all("leases") == []


@pytest.mark.parametrize(
    ("answer", "result"),
    [(Answer(status=503), "failed"), (Answer(status=302), "undecided")],
)
async def test_what_is_not_healthy_is_not_remembered(
    api: ApiServer, answer: Answer, result: str
) -> None:
    good_deploy(api)
    api.proxied = lambda _: answer
    policy = Request(successes=2, health=("/ready",))
    told = await verified(api, limits=replace(QUICK, health=0.3), policy=policy)

    assert told.result == result, told.text
    assert api.all("leases") == []


async def test_a_guess_that_fails_is_neither_unhealthy_nor_remembered(api: ApiServer) -> None:
    good_deploy(api)
    api.proxied = lambda _: Answer(status=503)
    told = await verified(api, limits=replace(QUICK, health=0.3))

    assert told.result == "undecided", told.text
    assert api.all("leases") == []


async def test_what_is_not_asked_as_the_kubelet_asks_is_healthy_by_the_kubelets_word(
    api: ApiServer,
) -> None:
    good_deploy(api)
    api.proxied = lambda _: Answer(status=400)
    told = await verified(api)

    assert told.result == "succeeded", told.text
    assert "healthy: the kubelet's own HTTP probe held for 0.1 s" in told.message


async def test_time_that_is_up_is_undecided(api: ApiServer) -> None:
    told = await verified(api, limits=replace(QUICK, total=0.5))

    assert told.result == "undecided"
    assert api.all("leases") == []


@pytest.mark.parametrize("verb", ["create", "get"])
async def test_without_the_right_to_the_ledger_it_is_healthy_and_said_not_to_be_recorded(
    api: ApiServer, verb: str
) -> None:
    good_deploy(api)
    api.denied = {f"{verb} leases"}
    told = await verified(api)

    assert told.result == "succeeded"
    (warned,) = told.of("warning")
    assert warned.startswith("it was verified, and not recorded: leases is forbidden")
    assert told.of("recorded") == []


async def test_while_a_rollback_is_under_way_nothing_is_written(api: ApiServer) -> None:
    await crashed(api, is_undo, applied=True)
    api.controller = control
    before = api.get("leases", LEASE)
    told = await verified(api)

    assert told.result == "succeeded", told.text
    (warned,) = told.of("warning")
    assert "another rollback is under way: ann on here" in warned
    assert api.get("leases", LEASE) == before


async def test_a_lock_that_has_expired_keeps_its_record_and_its_holder(api: ApiServer) -> None:
    await crashed(api, is_undo, applied=True)
    expire_lock(api)
    before = api.get("leases", LEASE)["spec"]
    told = await verified(api)

    assert told.of("recorded") == [
        "recorded healthy: revision 3; a later rollback may return to it"
    ], told.text
    assert api.get("leases", LEASE)["spec"] == before


async def test_it_outlives_a_race_for_the_lease(api: ApiServer) -> None:
    await undone(api)
    races = 2

    def before(request: Received) -> Step | None:
        nonlocal races
        if line_of(request) == "PUT leases" and races:
            races -= 1
            api.edit(
                "leases", LEASE, lambda lease: lease["metadata"]["labels"].update(n=str(races))
            )
        return None

    api.before = before
    told = await verified(api)

    assert races == 0
    assert len(told.of("recorded")) == 1


async def test_a_pinned_revision_that_is_not_current_is_an_error(api: ApiServer) -> None:
    with pytest.raises(ConfigError, match="different from the running revision"):
        await verified(api, number=1)


def probed(**probe: Any) -> dict[str, Any]:
    made = template(GOOD)
    made["spec"]["containers"][0]["readinessProbe"] = probe
    return made


@pytest.mark.parametrize(
    ("probe", "name"),
    [({"exec": {"command": ["true"]}}, "exec"), ({"grpc": {"port": 8080}}, "gRPC")],
)
async def test_where_the_probe_is_not_http_the_kubelets_answer_is_the_evidence(
    probe: dict[str, Any], name: str
) -> None:
    async with ApiServer() as api:
        shop(api, good=probed(**probe))
        deploy(api, NEXT)
        told = await verified(api)

        assert told.message == (
            f"deployment/web is rolled out and healthy: the kubelet's own {name} probe held for "
            "0.1 s"
        )
        assert memory(api)[3]["told"].startswith("verified by ci: build 311; the kubelet's own")


async def test_where_nothing_tells_of_health_nothing_is_recorded(api: ApiServer) -> None:
    api.remove("services", "web")
    good_deploy(api)
    told = await verified(api)

    assert told.result == "succeeded"
    assert "not verified end to end: no Service leads to port 8080" in told.message
    assert api.all("leases") == []
    required = await verified(api, policy=Request(require_health=True))
    assert required.result == "undecided"


def annotate(api: ApiServer, text: str) -> None:
    change: Callable[[dict[str, Any]], None] = lambda w: w["metadata"]["annotations"].update(  # noqa: E731
        {"backout.dev/health": text}
    )
    api.edit("deployments", "web", change)


async def test_the_workloads_own_annotation_says_what_is_asked(api: ApiServer) -> None:
    good_deploy(api)
    annotate(api, "/deep")
    told = await verified(api)
    assert "service web:80/deep answered well" in told.message

    given = await verified(api, policy=Request(successes=1, health=("/given",)))
    assert "service web:80/given answered well" in given.message


async def test_a_url_in_the_annotation_is_refused_ignored_and_said(api: ApiServer) -> None:
    annotate(api, "http://169.254.169.254/latest/meta-data")
    told = await undone(api)

    assert told.result == "succeeded", told.text
    (found,) = [e for e in told.events if e.fields.get("id") == "PF126"]
    assert "is neither a /path nor a PORT/path" in found.message
    assert "service web:80/ready answered well" in told.message


async def test_a_required_proof_refuses_an_unproven_target(api: ApiServer) -> None:
    api.remove("pods", "web-1-0")
    told = await undone(api, policy=Request(require_proof=True))

    assert told.result == "refused"
    assert "Not rolled back (PF114)" in told.message
    assert not any(map(is_undo, api.requests))
    assert "PF110" not in {e.fields.get("id") for e in told.events}


async def test_what_the_running_pods_answer_is_told_with_the_choice(api: ApiServer) -> None:
    told = await undone(api)

    assert "its Pod answers well now, on /ready of 8080" in told.of("target")[0]
