"""The values every layer speaks. Frozen; objects of the API stay plain dicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import Struct

if TYPE_CHECKING:
    from datetime import datetime

Object: TypeAlias = Mapping[str, Any]
"""A Kubernetes object exactly as the wire gave it; a typed model would drop unknown fields."""


FIELD_MANAGER = "backout"
"""By which name the API server notes what we write."""
CHANGE_CAUSE = "kubernetes.io/change-cause"
"""The annotation that says why a revision was made."""


class Severity(StrEnum):
    """How a finding weighs: BLOCK refuses, WARN is said, INFO is context."""

    BLOCK = "BLOCK"
    WARN = "WARN"
    INFO = "INFO"


class Revision(Struct, frozen=True, kw_only=True):
    """One state the workload can be in.

    `stored` is the object of the history that holds it. `number` is the controller's: 0 where it
    has none or one that nobody can read (not `is_numbered`). `earlier` are the numbers that it had
    before it was made current again, as far as that is told (an empty one where only that it
    had one is). `place` is where it stands in the order in which kubectl walks the history; empty:
    by age, the current one last. `hash` is ours: SHA-256 hex of the normalised template. `pods` are
    the Pods of this revision that are not being deleted, `ready` how many of them are Ready.
    """

    number: int
    stored: Object
    template: Object
    hash: str
    change_cause: str
    created: datetime | None
    pods: tuple[Object, ...]
    ready: int
    is_current: bool
    is_numbered: bool = True
    earlier: tuple[str, ...] = ()
    place: tuple[str, ...] = ()


class Finding(Struct, frozen=True, kw_only=True):
    """What a check found: the bad fact in words, and how to go on.

    `detail` adds evidence to the message, `remedy` says what to do about it, `risk` what going on
    anyway may cost. `acceptable` is False where `--accept` cannot lift it; `lifted_by` are the
    words that do instead of it (see `Objection`).
    """

    id: str
    severity: Severity
    message: str
    detail: str = ""
    remedy: str = ""
    risk: str = ""
    acceptable: bool = True
    lifted_by: tuple[str, ...] | None = None


class Skipped(Struct, frozen=True, kw_only=True):
    """A check whose needs could not be read: never passed, always said."""

    id: str
    title: str
    reason: str


class Acceptance(Struct, frozen=True, kw_only=True):
    """The user's word to go on in spite of finding `id`, and why; kept in the record."""

    id: str
    reason: str


class Patch(Struct, frozen=True, kw_only=True):
    """A JSON Patch (RFC 6902) with its preconditions inside, and the operation that marks it."""

    operation: str
    ops: Sequence[Mapping[str, Any]]
