"""Before anything is changed: where the workload is, where it will go, and what was found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from backout.core.events.event import Event, Sighting


class Began(Event, frozen=True, kw_only=True, tag="context"):
    """First.

    `line`: the whole command as it was understood, without secrets; `reason`: the user's.
    """

    server: str
    context: str
    actor: str
    host: str
    version: str
    command: str
    line: str = ""
    reason: str = ""


class Located(Event, frozen=True, kw_only=True, tag="workload"):
    """Where the workload is now.

    `revision` is null where there is none yet; `images` by container.
    """

    revision: int | None
    images: Mapping[str, str] = {}


class TargetChosen(Event, frozen=True, kw_only=True, tag="target"):
    """Where it will go and why.

    `images` by container; `must_start`: Pods must be started for it; `changes`: what going there
    would change in the Pod template, in words.
    """

    revision: int
    proven: bool
    why: str
    images: Mapping[str, str]
    must_start: bool
    changes: tuple[str, ...] = ()


class ImagesPinned(Event, frozen=True, kw_only=True, tag="pinned"):
    """`--pin`: the target's images by the digests that ran, a new revision.

    `images` by container.
    """

    revision: int
    images: Mapping[str, str]


class PassedOver(Event, frozen=True, kw_only=True, tag="passed_over"):
    """A newer revision that was not chosen."""

    revision: int


class KubectlDiffers(Event, frozen=True, kw_only=True, tag="kubectl"):
    """Kubectl would go elsewhere."""

    revision: int


class HealAnnounced(Event, frozen=True, kw_only=True, tag="heal"):
    """What is done about the next deploy ([next deploy](next-deploy.md)), before the act."""


class AskedBefore(Event, frozen=True, kw_only=True, tag="baseline"):
    """What a subject answered before anything was changed."""

    subject: str
    answer: str
    status: int | None
    milliseconds: float


class AlertsRead(Event, frozen=True, kw_only=True, tag="alerts"):
    """The alerts that fire for the namespace at the trigger.

    `alerts`: `name`, `since`, `workload`, `labels`.
    """

    alerts: tuple[Mapping[str, Any], ...]


class Rehearsing(Event, frozen=True, kw_only=True, tag="rehearsal"):
    """`--rehearse`: a trial Pod begins, and what it showed.

    `pod` when it begins, `result` when it is over.
    """

    pod: str = ""
    result: str = ""


class FindingMade(Event, frozen=True, kw_only=True, tag="finding"):
    """A check found something."""

    id: str
    severity: str
    detail: str
    remedy: str
    accepted: bool
    reason: str


class NotChecked(Event, frozen=True, kw_only=True, tag="skipped"):
    """Checks that could not be made, and why.

    `lacks`: `verb resource` where it is a permission.
    """

    ids: tuple[str, ...]
    lacks: str
    remedy: str


class Checked(Event, frozen=True, kw_only=True, tag="checked"):
    """`check`: how much was looked at.

    `skipped` are ids.
    """

    made: int
    skipped: tuple[str, ...]
    requests: int


class WorkloadFinding(Struct, frozen=True, kw_only=True):
    """A finding of one workload of many; `refuses`: it would not be rolled back."""

    id: str
    severity: str
    message: str
    detail: str
    remedy: str
    refuses: bool


class WorkloadSkipped(Struct, frozen=True, kw_only=True):
    """A check that could not be made of one workload of many."""

    id: str
    reason: str


class WorkloadChecked(Sighting, frozen=True, kw_only=True, tag="workload_checked"):
    """`check` of many: one workload is done.

    See below.
    """

    workload: Mapping[str, str]
    answer: str
    now: int | None
    back_to: int | None
    proven: bool
    why: str
    worst: str | None
    ids: tuple[str, ...]
    findings: tuple[WorkloadFinding, ...]
    skipped: tuple[WorkloadSkipped, ...]
    error: str
    remedy: str
    now_images: Mapping[str, str] = {}
    back_to_images: Mapping[str, str] = {}


class AllChecked(Event, frozen=True, kw_only=True, tag="standing"):
    """`check` of many: all are done.

    Numbers of workloads, and of `requests`.
    """

    requests: int
    refused: int
    unknown: int
    possible: int


class Blocked(Event, frozen=True, kw_only=True, tag="blocked"):
    """A finding refuses."""

    id: str
    detail: str
    remedy: str
    risk: str
    acceptable: bool


class HandedOver(Event, frozen=True, kw_only=True, tag="hand_over"):
    """The patch as a line that somebody else may run."""

    command: str
    revision: int


class Compared(Event, frozen=True, kw_only=True, tag="diff"):
    """`--dry-run`: what would change."""

    lines: tuple[str, ...]
