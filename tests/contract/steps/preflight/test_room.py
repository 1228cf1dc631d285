"""What takes room beside the next Pod: all Pods of its nodes, where they may be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest_asyncio

from backout.steps.check import check
from tests.contract.api_server import ApiServer, failure
from tests.contract.scripted_server import Answer
from tests.contract.steps.shop import GOOD, Told, deploy, running, shop, template
from tests.objects.nodes import node
from tests.objects.pods import pod

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.contract.scripted_server import Received, Step

ASKS = {"requests": {"cpu": "600m"}}
FRUGAL = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}


def on_the_node(cpu: str, namespace: str = "kube-system") -> Any:
    spec = {
        "nodeName": "n1",
        "containers": [{"name": "c", "resources": {"requests": {"cpu": cpu}}}],
    }
    return pod("dns", of="dns", metadata={"namespace": namespace}, spec=spec)


def full(api: ApiServer, *, nodes: int = 1, denied: bool = False) -> list[str]:
    """Let another namespace's Pod take most of the only node; return what is asked of it."""
    asked: list[str] = []

    def before(request: Received) -> Step | None:
        if request.path == "/api/v1/nodes":
            names = [f"n{n}" for n in range(1, nodes + 1)]
            items = [node(name, cpu="1") for name in names]
            return Answer(json={"kind": "NodeList", "metadata": {}, "items": items})
        if request.path != "/api/v1/pods":
            return None
        asked.append(request.query["fieldSelector"])
        if denied:
            return failure(403, "Forbidden", "pods is forbidden at the cluster scope")
        items = [on_the_node("700m")] if asked[-1].endswith("=n1") else []
        return Answer(json={"kind": "PodList", "metadata": {}, "items": items})

    api.before = before
    return asked


async def checked(api: ApiServer) -> Told:
    told = Told()
    async with running(api, told) as run:
        told.outcome = await check(run)
    return told


@pytest_asyncio.fixture
async def asking() -> AsyncIterator[ApiServer]:
    """Give a shop that is complete on its newest version, so that a Pod has to start beside it."""
    made = template(GOOD)
    made["spec"]["containers"][0]["resources"] = ASKS
    async with ApiServer() as api:
        shop(api, good=made, strategy=FRUGAL)
        deploy(api, "127.0.0.1:1/app:newer")
        yield api


async def test_pods_of_other_namespaces_take_room_too(asking: ApiServer) -> None:
    asked = full(asking)
    told = await checked(asking)

    assert asked == ["spec.nodeName=n1"]
    assert "leave 300m cpu, and a new one asks for 600m" in told.text


async def test_where_they_may_not_be_read_that_is_said(asking: ApiServer) -> None:
    full(asking, denied=True)
    told = await checked(asking)

    assert "leave 300m cpu" not in told.text
    assert "Pods of other namespaces on the nodes: pods is forbidden" in told.text


async def test_nor_are_they_asked_for_of_more_nodes_than_a_few(asking: ApiServer) -> None:
    asked = full(asking, nodes=21)
    told = await checked(asking)

    assert asked == []
    assert "Pods of other namespaces on the nodes: there are more than 20 nodes" in told.text


def heavy(count: int, **spec: Any) -> list[Any]:
    """Return nodes with the 50 images that a kubelet reports at most: some 12 KiB each.

    None has room for a Pod: that is seen only where they are read.
    """
    images = [
        {"names": [f"registry.example/shop/application@sha256:{n:064d}"] * 2, "sizeBytes": n}
        for n in range(50)
    ]
    nodes = [node(f"n{n}", cpu="500m", **spec) for n in range(count)]
    return [{**one, "status": {**one["status"], "images": images}} for one in nodes]


def large(api: ApiServer, count: int, **spec: Any) -> None:
    """Let the cluster have so many nodes, read by pages as the API server gives them."""
    items = heavy(count, **spec)

    def before(request: Received) -> Step | None:
        if request.path != "/api/v1/nodes":
            return None
        limit = int(request.query["limit"])
        token = {"continue": "more"} if limit < len(items) else {}
        return Answer(json={"kind": "NodeList", "metadata": token, "items": items[:limit]})

    api.before = before


async def test_four_hundred_nodes_with_fifty_images_each_are_read_once(asking: ApiServer) -> None:
    large(asking, 400)
    told = await checked(asking)

    assert [r.path for r in asking.requests].count("/api/v1/nodes") == 1
    assert "400 of 400: " in told.text


async def test_of_more_nodes_than_are_read_that_is_said_once(asking: ApiServer) -> None:
    large(asking, 501)
    told = await checked(asking)

    assert [r.path for r in asking.requests].count("/api/v1/nodes") == 1
    assert "there are more than 500" in told.text
