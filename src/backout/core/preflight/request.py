"""What the user asked for: how it is done is for others to know."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from backout.core.health.expectation import SUCCESS, Expected
from backout.core.preflight import defaults

if TYPE_CHECKING:
    from backout.core.health.promql import Metric
    from backout.core.model import Acceptance


class Request(Struct, frozen=True, kw_only=True):
    """What the user asked for and allows.

    `to_revision` None: backout chooses, of the revisions with `to_image` where that is named;
    `limit` rollbacks in `window`; `strict`: a WARN refuses, too; `fail_fast`: a suspected cause is
    final; `patience`: seconds that a cause may last which somebody else can still make right, None
    for the defaults; `take_over`: a lock is taken whoever holds it; `ledger_is_local`: a file of
    this machine stands for the Lease; `health` names URLs, `/paths` and `port/paths`, all of which
    must be as `expected`; `health_command` is for a shell; `baseline`: all but that is asked
    before, too;
    `metrics` must hold for the service to be healthy; `pin`: images by the digest that ran.
    `to_last_healthy`: only a revision that the ledger recorded healthy will do; `require_proof`: an
    unproven one refuses; `rehearse`: seconds that a trial Pod of the target may take, 0: none.
    `show_values`: values of a template may be told, but for those that look secret.
    `replace_stuck_pods`: Pods that the rollback waits for in vain are deleted once it is made.
    `heal`: the next deploy is to work as if the rollback had been a deploy of the old manifest.
    `is_survey`: nobody means to undo this one now, many are looked at.
    `command` is the command line as it was understood, without the program's name, for the line
    that goes on; `program` is what the user called.
    """

    to_revision: int | None = None
    to_image: str = ""
    accepted: tuple[Acceptance, ...] = ()
    reason: str = ""
    unpause: bool = False
    limit: int = defaults.ROLLBACKS
    window: timedelta = timedelta(seconds=defaults.WINDOW)
    health: tuple[str, ...] = ()
    expected: Expected = SUCCESS
    health_method: str = defaults.METHOD
    health_command: str = ""
    baseline: bool = False
    successes: int = defaults.SUCCESSES
    metrics: tuple[Metric, ...] = ()
    require_health: bool = False
    take_over: bool = False
    fail_fast: bool = False
    patience: float | None = None
    strict: bool = False
    ledger_is_local: bool = False
    pin: bool = False
    to_last_healthy: bool = False
    require_proof: bool = False
    rehearse: float = 0.0
    show_values: bool = False
    replace_stuck_pods: bool = False
    heal: bool = True
    is_survey: bool = False
    command: tuple[str, ...] = ()
    program: str = "backout"

    @property
    def is_named(self) -> bool:
        """The user named the target, by its number or its image."""
        return self.to_revision is not None or bool(self.to_image)

    @property
    def urls(self) -> tuple[str, ...]:
        """What is asked directly, as a user asks it."""
        return tuple(dict.fromkeys(one for one in self.health if "://" in one))

    @property
    def paths(self) -> tuple[str, ...]:
        """What Pods and Services are asked, through the API server."""
        return tuple(dict.fromkeys(one for one in self.health if "://" not in one))
