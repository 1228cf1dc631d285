from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.contract.api_server import ApiServer
from tests.contract.steps.shop import shop
from tests.protocol.stage import Stage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest_asyncio.fixture
async def api() -> AsyncIterator[ApiServer]:
    async with ApiServer() as server:
        yield shop(server)


@pytest.fixture
def stage(api: ApiServer) -> Stage:
    return Stage(api)
