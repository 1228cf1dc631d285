"""Looks at the same scene over time: what is suspected and what is final, by our own clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from backout.core.diagnosis import diagnosis
from backout.core.diagnosis.before import Before
from backout.core.diagnosis.diagnosis import Meanwhile, Scene
from backout.core.diagnosis.groups import Found, Patience
from backout.core.kinds.deployment import DEPLOYMENT
from tests.objects.deployments import deployment
from tests.objects.pods import pod
from tests.objects.replica_sets import replica_set
from tests.objects.times import NOW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from backout.core.diagnosis.causes import Cause
    from backout.core.diagnosis.groups import Look
    from backout.core.model import Object

PEER = pod("web-2-a", of="web-2")
CONFIRMED = Found.CONFIRMED
LONGEST = 240


def scene(
    workload: Object | None = None,
    current: Object | None = None,
    pods: Iterable[Object] = (),
    events: Iterable[Object] = (),
    *,
    now: datetime = NOW,
    others: Iterable[Object] = (),
    earlier: Before | None = None,
) -> Scene:
    return Scene(
        workload=deployment() if workload is None else workload,
        kind=DEPLOYMENT,
        stored=current,
        pods=list(pods),
        events=list(events),
        now=now,
        others=list(others),
        earlier=earlier or Before(),
    )


def causes(
    one: Scene,
    *,
    seconds: Sequence[float] = (0.0,),
    found: Found | Mapping[Look, Found] = CONFIRMED,
    meanwhile: Meanwhile | None = None,
    patience: Patience | None = None,
) -> tuple[Cause, ...]:
    """Return the causes at the last of these seconds, the same scene at each.

    `found` is what our own looks find.
    """
    return changing(
        lambda _: one, seconds=seconds, found=found, meanwhile=meanwhile, patience=patience
    )


def changing(
    at: Callable[[float], Scene],
    *,
    seconds: Sequence[float],
    found: Found | Mapping[Look, Found] = CONFIRMED,
    meanwhile: Meanwhile | None = None,
    patience: Patience | None = None,
) -> tuple[Cause, ...]:
    """Return the causes at the last of these seconds; `at` gives the scene as it is then."""
    known = meanwhile or Meanwhile(patience=patience or Patience())
    told: tuple[Cause, ...] = ()
    for second in seconds:
        known, told = _look(at(second), known, second, found)
    return told


def pending(one: Scene) -> tuple[Cause, ...]:
    """Return what is awaited at the first look."""
    return diagnosis.pending(one, Meanwhile())


def final_at(
    at: Scene | Callable[[float], Scene],
    *,
    found: Found | Mapping[Look, Found] = CONFIRMED,
    patience: Patience | None = None,
) -> int | None:
    """Return the first second at which a cause is final; None where that is never."""
    told = _over_time(at, found, patience)
    return next((s for s, causes in told if any(c.is_final for c in causes)), None)


def suspected_at(at: Scene | Callable[[float], Scene]) -> int | None:
    """Return the first second at which there is a cause; None where that is never."""
    return next((s for s, causes in _over_time(at, CONFIRMED, None) if causes), None)


def _over_time(
    at: Scene | Callable[[float], Scene],
    found: Found | Mapping[Look, Found],
    patience: Patience | None,
) -> Iterator[tuple[int, tuple[Cause, ...]]]:
    known = Meanwhile(patience=patience or Patience())
    for second in range(LONGEST):
        now = at(float(second)) if callable(at) else at
        known, told = _look(now, known, float(second), found)
        yield second, told


def _look(
    one: Scene, known: Meanwhile, second: float, found: Found | Mapping[Look, Found]
) -> tuple[Meanwhile, tuple[Cause, ...]]:
    seen = diagnosis.diagnose(one, known, second)
    answers = {k: found if isinstance(found, Found) else found[k] for k in seen.due}
    looked = {**seen.meanwhile.looked, **answers}  # what a log has told is told for good
    seen = diagnosis.diagnose(one, replace(seen.meanwhile, looked=looked), second)
    return seen.meanwhile, seen.causes


def stuck(*containers: Any, events: Any = (), others: Any = (), **made: Any) -> Scene:
    """Return a scene with one Pod that is not Ready, of revision 3."""
    one = pod(ready=False, containers=containers, **made)
    return scene(None, replica_set(3), [one], events, others=others)
