from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.contract.api_server import ApiServer
from tests.contract.cli.command import Command
from tests.contract.steps.shop import shop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
def backout(tmp_path: Path) -> Command:
    command = Command(tmp_path)
    command.point_to("http://127.0.0.1:1")
    return command


@pytest_asyncio.fixture
async def api(backout: Command) -> AsyncIterator[ApiServer]:
    async with ApiServer() as server:
        backout.point_to(server.url)
        yield shop(server)
