"""Concurrent work whose first error is raised as it is, not wrapped in a group."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def first_error() -> Iterator[None]:
    """Raise the first error of a TaskGroup that is entered inside, as itself."""
    try:
        yield
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None
