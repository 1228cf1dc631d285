"""A DaemonSet is rolled out to the nodes that answer; others are named, and not waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from backout.core.kinds.daemon_set import DAEMON_SET
from backout.core.kinds.target import Target
from backout.steps.reading.nodes import Nodes
from backout.steps.status import status
from tests.contract.api_server import NAMESPACE, ApiServer
from tests.contract.scripted_server import Answer
from tests.contract.steps.preflight.test_room import large
from tests.contract.steps.shop import QUICK, Told, running
from tests.core.diagnosis.test_placement import DEDICATED, told
from tests.objects.controller_revisions import controller_revision
from tests.objects.daemon_sets import daemon_set, on_node
from tests.objects.nodes import node
from tests.objects.templates import template

if TYPE_CHECKING:
    from tests.contract.scripted_server import Received

AGENT = Target(kind=DAEMON_SET, namespace=NAMESPACE, name="web")
NEW = template("reg.example/agent:v2")


def agents(api: ApiServer) -> None:
    """Fill an API server: new Pods are Ready on n1, and not on n2."""
    counted = {"desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 1}
    made = daemon_set(NEW, status={**counted, "observedGeneration": 1})
    uid = api.add("daemonsets", made)["metadata"]["uid"]
    api.add("controllerrevisions", controller_revision(1, pods=NEW, name="web-new", owner=uid))
    for name, ready in (("n1", True), ("n2", False)):
        pod = on_node(name, "new", ready=ready)
        pod["metadata"]["ownerReferences"][0]["uid"] = uid
        api.add("pods", pod)


def nodes(ready: str) -> Any:
    listed = {"metadata": {"resourceVersion": "1"}, "items": [node("n1"), node("n2", ready=ready)]}

    def answer(request: Received) -> Answer | None:
        return Answer(json=listed) if request.path.startswith("/api/v1/nodes") else None

    return answer


async def looked(ready: str) -> Told:
    told = Told()
    async with ApiServer() as api:
        agents(api)
        api.before = nodes(ready)
        async with running(api, told, target=AGENT, limits=replace(QUICK, total=1.5)) as run:
            told.outcome = await status(run, number=None)
    return told


async def test_a_node_that_does_not_answer_is_named_and_not_waited_for() -> None:
    told = await looked("Unknown")

    assert told.result == "succeeded", told.text
    assert told.of("rolled_out") == ['daemon set "web" successfully rolled out']
    assert any("node n2 does not answer" in note for note in told.of("note")), told.text


async def test_a_pod_that_is_not_ready_on_a_node_that_answers_is_waited_for() -> None:
    told = await looked("True")

    assert told.result == "undecided", told.text
    assert "1 of 2 updated pods are available" in told.text


@pytest.mark.parametrize(("count", "may_return"), [(400, False), (501, True)])
async def test_hundreds_of_heavy_nodes_tell_whether_one_may_come_back_and_are_read_once(
    count: int, *, may_return: bool
) -> None:
    """Of more than a page some are always on their way."""
    async with ApiServer() as api:
        large(api, count, taints=[DEDICATED])
        async with running(api) as run:
            nodes = Nodes(run)
            await nodes.ask(told(count))

    assert nodes.may_return is may_return
    assert [r.path for r in api.requests] == ["/api/v1/nodes"]
