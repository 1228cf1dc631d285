"""How a run ended, as a value; cli maps it to an exit code."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Result(StrEnum):
    """What a script needs to know."""

    SUCCEEDED = "succeeded"
    DRY_RUN = "dry run"
    SETTLED = "settled"
    PROGRESSING = "progressing"
    REFUSED = "refused"
    DECLINED = "declined"
    NOT_CHANGED = "not changed"
    FAILED = "failed"
    UNDECIDED = "undecided"
    INTERRUPTED = "interrupted"


class Outcome(Struct, frozen=True, kw_only=True):
    """The last word on a run: `message` is true, says what was changed and how to go on.

    `also` are the sentences after it, a fact each: they are kept apart, because what a service or
    a smoke test answered may hold any sign. `verdict` and `health` name the rollout's and the
    service's state where they were judged.
    """

    result: Result
    message: str
    also: tuple[str, ...] = ()
    verdict: str = ""
    health: str = ""
    remedy: str = ""

    @property
    def sentences(self) -> tuple[str, ...]:
        """The message and what follows it."""
        return (self.message, *self.also)

    @property
    def whole(self) -> str:
        """All sentences in one line."""
        return "; ".join(self.sentences)
