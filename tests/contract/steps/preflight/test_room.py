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
