"""The process around a session: what it may know of it, as whoever starts it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Process(Struct, frozen=True, kw_only=True):
    """Environment and home; `has_terminal`: a person can answer; `command`: what is carried out.

    `line` has the words of the whole command, the program's name first, as it was understood.
    """

    environ: Mapping[str, str]
    home: Path
    has_terminal: bool = False
    command: str = ""
    line: tuple[str, ...] = ()
