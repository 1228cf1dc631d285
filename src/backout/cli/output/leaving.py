"""Events as they may leave: through the gate, and of a length."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backout.cli.output.gate import MASK
from backout.core.events.planning import HandedOver
from backout.core.mask import mapped

if TYPE_CHECKING:
    from backout.core.events.event import Event

LONGEST = 20_000
"""Characters of one text in a line of the journal; a cluster's may be endless."""


def gated(event: Event) -> Event:
    """Return an event as it may leave; a line that is to be run is whole."""
    if isinstance(event, HandedOver):
        # Its step has seen to it that nothing in it is secret, or the user has asked for it.
        return event
    masked: Event = _cut(MASK.of(event))
    return masked


def _cut(value: Any) -> Any:
    """Return a value whose texts are cut, at any depth."""
    if isinstance(value, str):
        return value if len(value) <= LONGEST else f"{value[:LONGEST]}…"
    return mapped(value, _cut)
