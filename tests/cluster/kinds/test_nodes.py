"""A DaemonSet where a node does not answer; no other test may see that node."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.cluster.kinds.sets import DAEMON, Shop
from tests.cluster.manifests import SHOP
from tests.cluster.space import until
from tests.objects.nodes import node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.space import Space

pytestmark = [pytest.mark.exclusive, pytest.mark.every_case]

NODES = "/api/v1/nodes"
AWAY = "away"
EVERYWHERE = {"tolerations": [{"operator": "Exists"}]}


@contextmanager
def a_node_that_does_not_answer(space: Space) -> Iterator[None]:
    """Add a node without a kubelet, and take it away with the Pods that were meant for it."""
    made = node(AWAY, ready="False", labels={"kubernetes.io/os": "linux"})
    space.api.call("POST", NODES, made)
    try:
        yield
    finally:
        space.kubectl("delete", "node", AWAY, "--timeout=60s").expect(0)
        space.kubectl("delete", f"ds/{SHOP}", "--timeout=60s").expect(0)
        for pod in space.every("Pod"):
            if pod["spec"].get("nodeName") == AWAY:
                name = pod["metadata"]["name"]
                space.kubectl("delete", "pod", name, "--force")


def test_a_daemon_set_is_rolled_back_where_it_can_be_and_the_node_that_cannot_is_named(
    space: Space,
) -> None:
    shop = Shop(space, DAEMON)
    shop.deploy(space.version("v1", spec=EVERYWHERE))
    shop.roll(space.version("missing", spec=EVERYWHERE))
    space.until_closed(a_node_that_does_not_answer(space))
    until("its Pod is wanted", lambda: shop.now["status"]["desiredNumberScheduled"] == 2)

    ran = shop.undo("--timeout", "60s").expect(0)

    assert f"node {AWAY} does not answer" in ran.both, str(ran)
    assert shop.image == space.image("v1")
