"""How long the service was down, as far as a run saw it: it looks only now and then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from backout.core.report.incident import Incident


class Outage(Struct, frozen=True, kw_only=True):
    """What was seen: `down` seconds in all, 0 where it was never seen down.

    `is_asked`: the service itself answered, else only its Ready Pods tell. `is_over`: it was seen
    up at last.
    """

    down: float
    is_asked: bool
    is_over: bool


def outage(incident: Incident) -> Outage | None:
    """Return how long it was down; None where nobody looked.

    A service that backout asks in several ways is down while one of them answers badly. Until it
    first answers its Pods tell: where none is Ready, nothing answers.
    """
    answered = list(_answers(incident))
    first = answered[0][0] if answered else float("inf")
    seen = [*(p for p in _pods(incident) if p[0] < first), *answered]
    if not seen:
        return None
    ends = [at for at, _ in seen[1:]] + [max(row.seconds for row in incident.rows)]
    down = sum(end - at for (at, is_up), end in zip(seen, ends, strict=True) if not is_up)
    return Outage(down=round(down, 3), is_asked=bool(answered), is_over=seen[-1][1])


def _answers(incident: Incident) -> Iterator[tuple[float, bool]]:
    """Give the moments of answers, and whether all subjects were well from then on."""
    last: dict[str, bool] = {}
    for one in (*incident.before, *incident.health):
        if one.answer in {"well", "unwell"}:
            last[one.subject] = one.answer == "well"
            yield one.seconds, all(last.values())


def _pods(incident: Incident) -> Sequence[tuple[float, bool]]:
    return [(r.seconds, r.ready + r.old_ready > 0) for r in incident.replicas if r.wanted > 0]
