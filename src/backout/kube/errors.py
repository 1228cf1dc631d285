"""The failure that only a write can have: nobody knows whether it was done."""

from __future__ import annotations

from backout.core.errors import Unreachable


class Unclear(Unreachable):
    """A write may or may not have been executed: read the object and compare before going on.

    `cause` says what went wrong, in words; `audit_id` is the request's `Audit-ID`, under which the
    API server's audit log has the truth.
    """

    def __init__(self, cause: str, *, method: str, audit_id: str, remedy: str = "") -> None:
        super().__init__(f"{cause}; whether the {method} was executed is not known", remedy=remedy)
        self.cause = cause
        self.audit_id = audit_id
