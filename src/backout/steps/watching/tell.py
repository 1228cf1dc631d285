"""Says what a watched rollout does: each word once, a cause when suspected and when final."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.events import trouble
from backout.core.events.told import Noted
from backout.core.events.watching import Counted, Moved, NotReady

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from backout.core.diagnosis.causes import Cause
    from backout.steps.run import Run
    from backout.steps.watching.follow import Newest


class Teller:
    """Remembers what was said of one rollout; `said` is the newest word on its progress."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._told: set[tuple[str, ...]] = set()
        self._counted: Mapping[str, int] = {}
        self.said = ""

    def progress(self, message: str) -> bool:
        """Say one line a change; return whether there was one."""
        if message == self.said:
            return False
        self.said = message
        self._run.say(Moved(message=message))
        return True

    def sign_of_life(self, message: str, standing: Sequence[Cause], seconds: float) -> None:
        """Say what is awaited once more: nobody may see the view."""
        words = f"{message} ({seconds:.0f} s)"
        if standing:
            words += f"; {worded(standing[0])}"
        self._run.say(Moved(message=words, repeated=True))

    def replicas(self, counted: Mapping[str, int]) -> None:
        """Note the Pods by state, once a change: for reports, not for people who look on."""
        if counted != self._counted:
            self._counted = counted
            words = ", ".join(f"{number} {name}" for name, number in counted.items())
            self._run.say(Counted(message=words, **counted))

    def causes(self, causes: Iterable[Cause]) -> None:
        """Say every cause once when it is suspected, and once when it is final."""
        for cause in causes:
            key = (cause.code, cause.uid, str(cause.is_final))
            if key not in self._told:
                self._told.add(key)
                say_cause(self._run, cause)

    def lost(self, nodes: Iterable[str]) -> None:
        """Say once of each node that it does not answer: what should run there is left out."""
        for name in sorted(nodes):
            if ("lost", name) not in self._told:
                self._told.add(("lost", name))
                words = f"node {name} does not answer: its Pod is not waited for"
                self._run.say(Noted(message=words, node=name))

    def missing(self, state: Newest) -> None:
        """Say once what may not be watched: it cannot be verified, and the rest goes on."""
        for resource, why in state.missing.items():
            if ("missing", resource) not in self._told:
                self._told.add(("missing", resource))
                words = f"{resource} cannot be watched: {why}"
                self._run.say(Noted(message=words, unwatched=resource))


def worded(cause: Cause) -> str:
    """Return a cause with what it waits for before it is final."""
    return trouble.worded(cause.subject, cause.message, "" if cause.is_final else cause.outlook)


def say_cause(run: Run, cause: Cause) -> None:
    """Say why something is not ready, once it is suspected."""
    run.say(
        NotReady(
            message=worded(cause),
            code=cause.code,
            evidence=cause.evidence,
            remedy=cause.remedy,
            final=cause.is_final,
            group=cause.ground.row.group.value,
            final_in=None if cause.final_in is None else round(cause.final_in, 1),
            outlook=cause.outlook,
        )
    )
