"""Whether a rollout's failure is the fault of its template, or somebody else could make it right.

Where nobody could, the template is bad. Where the process itself ends or is not ready, it is final
only beside a Pod of another revision that works: that shows the surroundings to work, too. All else
(room, quota, volumes, configuration, credentials, a node, a registry) says nothing of the template.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.diagnosis.groups import Group

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backout.core.diagnosis.causes import Cause

OWN_FAULT = frozenset({Group.NOBODY, Group.PROCESS})


def condemns(causes: Iterable[Cause]) -> bool:
    """Tell whether one of these causes is the template's own fault, for certain.

    What is only suspected never is, also when the progress deadline ran out on it.
    """
    return any(c.is_final and c.ground.row.group in OWN_FAULT for c in causes)
