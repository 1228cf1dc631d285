"""Kinds of other projects, as their own manifests define them."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from tests.cluster.space import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cluster.space import Space


@contextmanager
def applied(space: Space, folder: Path, *served: str) -> Iterator[None]:
    """Apply a folder of CRDs and wait until these paths of the API are served; then delete them."""
    space.kubectl("apply", "--server-side", "-k", str(folder)).expect(0)
    try:
        for path in served:
            until(f"{path} is served", partial(_answers, space, path))
        yield
    finally:
        space.kubectl("delete", "-k", str(folder), "--timeout=60s").expect(0)


def _answers(space: Space, path: str) -> bool:
    return space.kubectl("get", "--raw", path).code == 0
