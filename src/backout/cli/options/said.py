"""What the policy files said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

if TYPE_CHECKING:
    from backout.core.model import Acceptance


class Said(Struct, kw_only=True):
    """What the files say, by key as the command line would give it, and which file said it.

    `ignored` tells which files were not heeded, and why.
    """

    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    accepted: tuple[Acceptance, ...] = ()
    own: str = ""
    ignored: tuple[str, ...] = ()
