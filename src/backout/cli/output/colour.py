"""Whether colours were asked for where there is no terminal. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def is_forced(environ: Mapping[str, str]) -> bool:
    """Tell whether FORCE_COLOR asks for colours; NO_COLOR outranks it."""
    return environ.get("FORCE_COLOR", "") not in {"", "0"} and not environ.get("NO_COLOR", "")
