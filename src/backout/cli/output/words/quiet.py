"""Text without progress: what was found, what was done, and how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.cli.output.words.text import Text
from backout.core.events import acting, planning, watching

if TYPE_CHECKING:
    from backout.core.events.lines import Line
    from backout.core.rollout.view import View

_PROGRESS = (
    acting.FieldsReturned,
    acting.Recorded,
    planning.AskedBefore,
    planning.Began,
    planning.Checked,
    planning.HealAnnounced,
    planning.KubectlDiffers,
    planning.Located,
    planning.PassedOver,
    planning.Rehearsing,
    watching.HealthAnswered,
    watching.Measured,
    watching.Moved,
)


class Quiet(Text):
    """Text for `-q`: the lines that scripts rely on, results and problems."""

    def event(self, line: Line) -> None:
        """Print an event's lines, unless it only tells how far a run has come."""
        if not isinstance(line.event, _PROGRESS):
            super().event(line)

    def view(self, view: View | str | None) -> None:
        """Show nothing: nobody watches."""
