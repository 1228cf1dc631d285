"""What gives a command options of click's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def with_options(command: F, options: tuple[Callable[[Any], Any], ...]) -> F:
    """Give a command these options, in this order in its help."""
    for option in reversed(options):
        command = option(command)
    return command
