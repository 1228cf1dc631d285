"""Values of which a `repr` shows only a part: the rest is secret, or long."""

from __future__ import annotations

from typing import Annotated, TypeVar

from msgspec import Struct

T = TypeVar("T")

Hidden = Annotated[T, "in no repr"]
"""What stands in no `repr` of a `Discreet` value."""


class Discreet(Struct, frozen=True, kw_only=True):
    """A value whose `repr` leaves out each field that is declared as `Hidden[...]`."""

    def __repr__(self) -> str:
        cls = type(self)
        shown = [name for name in cls.__struct_fields__ if not _is_hidden(cls, name)]
        return f"{cls.__name__}({', '.join(f'{n}={getattr(self, n)!r}' for n in shown)})"


def _is_hidden(cls: type, name: str) -> bool:
    """Tell by what is written: nothing is evaluated, what it needs may not be imported."""
    hints = (getattr(one, "__annotations__", {}) for one in cls.__mro__)
    return any(str(hint[name]).startswith("Hidden[") for hint in hints if name in hint)
