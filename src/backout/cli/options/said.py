"""What the policy files said."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any

from backout.core.value import dataclass

if TYPE_CHECKING:
    from backout.core.model import Acceptance


@dataclass(kw_only=True)
class Said:
    """What the files say, by key as the command line would give it, and which file said it.

    `ignored` tells which files were not heeded, and why.
    """

    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    accepted: tuple[Acceptance, ...] = ()
    own: str = ""
    ignored: tuple[str, ...] = ()
