"""`backout check` of many: what they share is asked once, and one bad one hides no other."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from backout.core.kinds.deployment import DEPLOYMENT
from backout.core.rights import permissions
from tests.contract.api_server import line_of
from tests.contract.scripted_server import Answer
from tests.contract.steps import shop as made
from tests.objects.replica_sets import replica_set
from tests.objects.workloads import REVISION

if TYPE_CHECKING:
    from tests.contract.api_server import ApiServer
    from tests.contract.cli.command import Command, Finished
    from tests.contract.scripted_server import Received, Step
    from tests.objects.metadata import Object

ASKED = len(permissions.asked(DEPLOYMENT, ledger_is_local=False, deletes=False))
SHARED = (
    "LIST replicasets",
    "LIST pods",
    "LIST services",
    "LIST leases",
    "GET serviceaccounts",
    "POST selfsubjectaccessreviews",
    "GET /api/v1/nodes",
)


def fill(api: ApiServer, count: int) -> None:
    """Add Deployments with two revisions each beside `web`, observed and complete."""
    api.controller = lambda *_: None
    for index in range(count):
        name = f"api-{index}"
        pods = made.template(made.GOOD)
        pods["metadata"]["labels"] = {"app": name}
        body = made.deployment(pods, replicas=0, selector={"matchLabels": {"app": name}})
        body["metadata"] = {"name": name, "annotations": {REVISION: "2"}}
        body["status"] = {"observedGeneration": 1}
        owner = api.add("deployments", body)
        for number, image in ((1, "127.0.0.1:1/app:before"), (2, made.GOOD)):
            add_replica_set(api, owner, number, image)


def fill_with_a_paused_one(api: ApiServer) -> None:
    fill(api, 2)
    api.edit("deployments", "api-1", lambda d: d["spec"].update(paused=True))
    api.edit("deployments", "api-1", lambda d: d["status"].update(observedGeneration=2))


def add_replica_set(api: ApiServer, owner: Object, number: int, image: str) -> None:
    name, uid = owner["metadata"]["name"], owner["metadata"]["uid"]
    pods = made.template(image)
    pods["metadata"]["labels"] = {"app": name}
    api.add("replicasets", replica_set(number, pods=pods, name=f"{name}-{number}", owner=uid))


def rows(done: Finished) -> dict[str, dict[str, Any]]:
    found = [e for e in done.events if e["event"] == "workload_checked"]
    return {e["workload"]["name"]: e for e in found}


@pytest.mark.parametrize("count", [1, 20])
async def test_what_the_workloads_of_a_namespace_share_is_asked_once(
    api: ApiServer, backout: Command, count: int
) -> None:
    fill(api, count)
    done = await backout("check", "--all", "-o", "json")
    asked = Counter(api.lines)

    assert done.code == 0, done.err
    assert len(rows(done)) == count + 1
    assert done.last["message"] == f"{count + 1} of {count + 1} workloads could be rolled back"
    assert {line: asked[line] for line in SHARED} == {
        **dict.fromkeys(SHARED, 1),
        "POST selfsubjectaccessreviews": ASKED,
    }
    # Once for the names, once for the objects.
    assert (asked["LIST deployments"], asked["GET deployments"]) == (2, 0)
    assert asked["DRY deployments"] == asked["DRY pods"] == count + 1
    assert api.writes == []


async def test_each_row_is_what_a_check_of_that_one_alone_says(
    api: ApiServer, backout: Command
) -> None:
    fill(api, 2)
    many = rows(await backout("check", "--all", "-o", "json"))
    for name in ("web", "api-1"):
        alone = await backout("check", f"deploy/{name}", "-o", "json")
        (target,) = [e for e in alone.events if e["event"] == "target"]
        ids = [e["id"] for e in alone.events if e["event"] == "finding"]

        assert many[name]["back_to"] == target["revision"]
        assert many[name]["proven"] == target["proven"]
        assert set(ids) == set(many[name]["ids"])


@pytest.mark.parametrize("words", [("deploy/web", "deploy/api-0"), ("deploy", "web", "api-0")])
async def test_several_names_are_several_rows_and_no_others(
    api: ApiServer, backout: Command, words: tuple[str, ...]
) -> None:
    fill(api, 3)
    done = await backout("check", *words, "-o", "json")

    assert set(rows(done)) == {"web", "api-0"}


async def test_one_that_is_not_there_is_a_row_and_the_exit_code_of_an_error(
    api: ApiServer, backout: Command
) -> None:
    fill(api, 0)
    done = await backout("check", "deploy/web", "deploy/never-made", "-o", "json")
    row = rows(done)["never-made"]

    assert done.code == 1
    assert row["answer"] == "unknown"
    assert "not found" in row["error"]
    assert rows(done)["web"]["answer"] == "possible"
    assert done.last["message"] == "1 of 2 workloads could be rolled back; 1 could not be checked"


async def test_one_that_blocks_outranks_and_the_table_has_it_first(
    api: ApiServer, backout: Command
) -> None:
    fill_with_a_paused_one(api)
    done = await backout("check", "--all")
    head, first, *others = [s for s in done.out.splitlines() if " deployment/" in s or "NOW" in s]

    assert done.code == 3
    assert head.split()[:2] == ["NAMESPACE", "WORKLOAD"]
    assert first.split()[:5] == ["shop", "deployment/api-1", "2", "1", "no"]
    assert len(others) == 2
    assert "✗ 2 of 3 workloads could be rolled back" in done.out.splitlines()


async def test_a_list_that_fails_is_a_row_each_and_asked_once(
    api: ApiServer, backout: Command
) -> None:
    fill(api, 5)
    api.denied.add("list replicasets")
    done = await backout("check", "--all", "-o", "json")

    assert done.code == 1
    assert {row["answer"] for row in rows(done).values()} == {"unknown"}
    assert Counter(api.lines)["LIST replicasets"] == 1
    assert "replicasets" in rows(done)["web"]["remedy"]


async def test_without_the_right_to_list_deployments_the_named_ones_are_read_singly(
    api: ApiServer, backout: Command
) -> None:
    fill(api, 2)
    api.denied |= {"list deployments", "list leases"}
    named = await backout("check", "deploy/web", "deploy/api-0", "-o", "json")
    found = await backout("check", "--all")

    assert {row["back_to"] for row in rows(named).values()} == {1}
    assert found.code == 1
    assert "verbs: [list]" in found.err


async def test_a_right_that_names_its_object_is_asked_for_by_name(
    api: ApiServer, backout: Command
) -> None:
    fill(api, 1)

    def only_web(request: Received) -> Step | None:
        """Deny the patch of Deployments in general, allow it for those that are named."""
        if line_of(request) != "POST selfsubjectaccessreviews":
            return None
        asked = request.json["spec"]["resourceAttributes"]
        if asked["verb"] == "patch" and "name" not in asked:
            return Answer(status=201, json={**request.json, "status": {"allowed": False}})
        return None

    api.before = only_web
    done = await backout("check", "--all", "-o", "json")

    assert done.code == 0, done.out
    assert Counter(api.lines)["POST selfsubjectaccessreviews"] == ASKED + 2


async def test_a_controller_that_is_behind_is_waited_for_and_its_history_read_anew(
    api: ApiServer, backout: Command
) -> None:
    fill(api, 1)
    api.edit("deployments", "api-0", lambda d: d["status"].update(observedGeneration=0))

    def catch_up(request: Received) -> None:
        if line_of(request) == "WATCH deployments" and api.find("replicasets", "api-0-3") is None:
            owner = api.get("deployments", "api-0")
            add_replica_set(api, owner, 3, "127.0.0.1:1/app:newest")
            api.edit("deployments", "api-0", lambda d: d["status"].update(observedGeneration=1))

    api.before = catch_up
    done = await backout("check", "deploy/web", "deploy/api-0", "-o", "json")

    assert rows(done)["api-0"]["back_to"] == 3, done.out


async def test_a_kind_that_may_not_be_listed_is_left_out_and_said(
    api: ApiServer, backout: Command
) -> None:
    api.denied.add("list statefulsets")
    done = await backout("check", "--all")

    assert done.code == 0, done.err
    assert "left out: " in done.out + done.err
    assert "resources: [statefulsets], verbs: [list]" in done.out + done.err


async def test_nothing_found_is_an_error_and_no_success(api: ApiServer, backout: Command) -> None:
    fill(api, 2)
    done = await backout("check", "-l", "app=other")

    assert done.code == 1
    assert (
        "there is no Deployment, StatefulSet or DaemonSet in namespace shop that app=other selects"
        in done.err
    )


async def test_a_run_that_has_no_time_says_so_of_each(api: ApiServer, backout: Command) -> None:
    async def never(request: Received) -> None:
        if line_of(request) == "LIST replicasets":
            await asyncio.Event().wait()

    api.before = never
    done = await backout("check", "--all", "--timeout", "1s", "-o", "json")

    assert done.code == 1
    assert rows(done)["web"]["error"] == "time was up after 1 s"
