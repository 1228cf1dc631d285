"""What every event is: a fact of a run, told in a sentence and in fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from msgspec import Struct, to_builtins

if TYPE_CHECKING:
    from collections.abc import Mapping

KIND = "event"
"""The key of a journal line that says of which kind it is."""


class Event(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field=KIND):
    """One thing that happened in a run: a journal line, a JSON line, a line on the terminal.

    The tag of a class is its kind in the journal. `message` is a sentence for people, the other
    fields are what a program wants to know; one that is at its default is not written.
    docs/journal.md is made from the classes: the first paragraph of a docstring says when there is
    such an event, the second what its fields hold.
    """

    must_survive: ClassVar[bool] = True
    """Whether the run waits until the disk has it; also what came before is on the disk then."""
    unwritten: ClassVar[frozenset[str]] = frozenset()
    """Fields that only renderers read: in no journal, and in no JSON."""

    message: str

    @property
    def kind(self) -> str:
        """What the journal calls it."""
        return kind_of(type(self))

    @property
    def fields(self) -> Mapping[str, Any]:
        """What this kind alone has, as JSON values."""
        written: dict[str, Any] = to_builtins(self)
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in written.items()
            if name not in {KIND, "message", *self.unwritten}
        }


class Sighting(Event, frozen=True, kw_only=True):
    """What a run sees while it looks on: often told, changes nothing, and no write follows it.

    The run does not wait for the disk, which may be slow: whoever waits renews no lock. It is
    written anyway, and only a power cut before the next other event loses it.
    """

    must_survive: ClassVar[bool] = False


def kind_of(event: type[Event]) -> str:
    """Return what the journal calls a class of events."""
    return str(event.__struct_config__.tag)
