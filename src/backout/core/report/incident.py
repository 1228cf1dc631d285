"""The incident of one run: what a report shows, as values. Times in seconds from the trigger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct, to_builtins

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA = "backout.dev/incident/v1"


class Moment(Struct, frozen=True, kw_only=True):
    """Something that a reader looks for first: started, triggered, recovered, closed, …."""

    name: str
    at: str
    seconds: float


class JournalLine(Struct, frozen=True, kw_only=True):
    """One line of the journal, whatever its kind: `fields` is what this kind alone has."""

    at: str
    seconds: float
    kind: str
    message: str
    fields: Mapping[str, Any]


class CommandRow(Struct, frozen=True, kw_only=True):
    """A command of the incident: the rollback's first, then those that went on with it.

    `line` is empty where an older version did not record it.
    """

    at: str
    trace_id: str
    command: str
    line: str
    reason: str
    actor: str
    host: str


class AlertRow(Struct, frozen=True, kw_only=True):
    """An alert that fired at the trigger; `is_about`: its labels name the workload."""

    name: str
    since: str
    summary: str
    is_about: bool


class ChoiceRow(Struct, frozen=True, kw_only=True):
    """Where it was to go: `revision` from `source`, and why; `passed_over` are sentences.

    `images` and `source_images` by container.
    """

    source: str = ""
    source_images: Mapping[str, str]
    revision: str = ""
    message: str = ""
    why: str = ""
    proven: bool | None = None
    images: Mapping[str, str]
    passed_over: tuple[str, ...] = ()


class FindingRow(Struct, frozen=True, kw_only=True):
    """What a check found; `accepted`, with the user's `reason`."""

    id: str
    severity: str
    message: str
    detail: str
    remedy: str
    accepted: bool
    reason: str


class Unchecked(Struct, frozen=True, kw_only=True):
    """Checks that could not be made, and why."""

    ids: tuple[str, ...]
    message: str


class Replicas(Struct, frozen=True, kw_only=True):
    """Pods by state at a moment: of the target `updated` (of them `ready`), of others `old`."""

    seconds: float
    wanted: int
    updated: int
    ready: int
    available: int
    old: int
    old_ready: int


class HealthSample(Struct, frozen=True, kw_only=True):
    """One health request: `answer` is well, unwell or unknown."""

    seconds: float
    subject: str
    message: str
    answer: str
    status: int | None
    milliseconds: float | None


class MetricValue(Struct, frozen=True, kw_only=True):
    """One value of a metric that was watched, with what it was held against."""

    seconds: float
    metric: str
    value: float
    threshold: float | None


class CauseRow(Struct, frozen=True, kw_only=True):
    """Why something was not ready: suspected, or `final`."""

    seconds: float
    code: str
    message: str
    evidence: str
    remedy: str
    final: bool


class LogLines(Struct, frozen=True, kw_only=True):
    """The last words of a container."""

    message: str
    lines: tuple[str, ...]


class Ended(Struct, frozen=True, kw_only=True):
    """How it ended; `result` is empty where no end was recorded."""

    result: str = ""
    message: str = ""
    exit: int | None = None
    verdict: str = ""
    health: str = ""
    remedy: str = ""


class Incident(Struct, frozen=True, kw_only=True):
    """A rollback and what went on with it, or another run, told from the journal alone.

    `command` to `version` are of its first run; `before` is what was answered before the act;
    `gaps` says what of the journal could not be read.
    """

    trace_id: str
    operation: str
    object: Mapping[str, str]
    commands: tuple[CommandRow, ...]
    alerts: tuple[AlertRow, ...]
    command: str
    actor: str
    host: str
    context: str
    server: str
    version: str
    moments: tuple[Moment, ...]
    choice: ChoiceRow
    findings: tuple[FindingRow, ...]
    unchecked: tuple[Unchecked, ...]
    replicas: tuple[Replicas, ...]
    before: tuple[HealthSample, ...]
    health: tuple[HealthSample, ...]
    metrics: tuple[MetricValue, ...]
    causes: tuple[CauseRow, ...]
    logs: tuple[LogLines, ...]
    digests: Mapping[str, str]
    ended: Ended
    rows: tuple[JournalLine, ...]
    gaps: tuple[str, ...]

    @property
    def title(self) -> str:
        """The workload as kubectl names it."""
        kind = self.object.get("kind", "").lower() or "workload"
        return f"{kind}/{self.object.get('name', '')}"

    def moment(self, name: str) -> Moment | None:
        """Return a moment by its name."""
        return next((m for m in self.moments if m.name == name), None)

    @property
    def reason(self) -> str:
        """Why it was done, as the user said; empty where nobody gave a reason."""
        return next((c.reason for c in self.commands if c.reason), "")

    @property
    def recovery(self) -> float | None:
        """Seconds from the trigger until the service was seen to be healthy, and had held."""
        recovered = self.moment("recovered")
        return recovered.seconds if recovered is not None and self.moment("triggered") else None


def as_row(incident: Incident) -> dict[str, Any]:
    """Return one line of a list of incidents, as JSON values (docs/report.md)."""
    return {
        "trace_id": incident.trace_id,
        "at": incident.moments[0].at,
        "title": incident.title,
        "object": dict(incident.object),
        "commands": [one.command for one in incident.commands],
        "reason": incident.reason,
        "actor": incident.actor,
        "source": incident.choice.source,
        "revision": incident.choice.revision,
        "result": incident.ended.result,
        "triggered_to_recovered_seconds": incident.recovery,
    }


def as_json(incident: Incident) -> dict[str, Any]:
    """Return the incident as one JSON document (docs/report.md)."""
    return {
        "schema": SCHEMA,
        "title": incident.title,
        "triggered_to_recovered_seconds": incident.recovery,
        **to_builtins(incident),
    }
