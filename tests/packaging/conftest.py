"""What takes seconds to make is made once, also where several workers run the tests."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

import pytest

from tests.packaging import environments

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder that the first worker makes; the others wait for it."""
    ours = factory.getbasetemp()
    shared = ours.parent if "PYTEST_XDIST_WORKER" in os.environ else ours
    folder, ready = shared / name, shared / f"{name}.ready"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            make(folder)
            ready.touch()
    return folder


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment of the locked runtime dependencies and the wheel."""
    return once(tmp_path_factory, "bare", environments.make_bare)


@pytest.fixture(scope="session")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution."""

    def make(folder: Path) -> None:
        build = ("-m", "hatchling", "build", "-t", "sdist", "-d")
        environments.run(environments.developer_python(), *build, folder, cwd=environments.ROOT)

    (found,) = once(tmp_path_factory, "sdist", make).glob("*.tar.gz")
    return found
