"""Each test gets a namespace of its own in the sandbox, so that all may run at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox import cluster
from sandbox.errors import NotRunningError
from tests.cluster.space import Space

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandbox.cluster import Cluster

FIRST = ("faults", "test_situations.py")
"""What takes longest: who starts it last waits for it with idle workers."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not any(part in FIRST for part in item.path.parts))


@pytest.fixture(scope="session")
def sandbox() -> Cluster:
    try:
        return cluster.running()
    except NotRunningError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture
def space(sandbox: Cluster, tmp_path: Path) -> Iterator[Space]:
    made = Space(sandbox, tmp_path)
    yield made
    made.close()
