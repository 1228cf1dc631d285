"""What stops the program. Expected outcomes (a refusal, a failed rollout) are values instead.

Every error carries a remedy: one sentence that tells the reader what to do next.
"""

from __future__ import annotations


class BackoutError(Exception):
    """Base of all errors: `message` says what is wrong, `remedy` what to do (may be empty)."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class ConfigError(BackoutError):
    """A setting, file or argument of the user's cannot be used."""


class Unreachable(BackoutError):
    """No answer, or none that can be understood: transport, TLS, time-out, a proxy's HTML page."""


class ApiError(BackoutError):
    """The API server answered with a failure.

    `code` is the HTTP status (100-599), `reason` the `reason` of its Status object as the API
    spells it, `details` that object's `details` (may be empty).
    """

    def __init__(
        self,
        message: str,
        *,
        code: int,
        reason: str = "",
        details: dict[str, object] | None = None,
        remedy: str = "",
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.code = code
        self.reason = reason
        self.details = details or {}


class Unauthorized(ApiError):
    """401: the server does not know who is asking."""


class Forbidden(ApiError):
    """403: it knows, and the answer is no (RBAC or admission)."""


class NotFound(ApiError):
    """404: no such object (or no such resource type)."""


class Conflict(ApiError):
    """409: the resourceVersion is stale, or the object exists already."""


class Gone(ApiError):
    """410: the resourceVersion is too old to list or watch from; list again."""


class Invalid(ApiError):
    """422: validation, a failed JSON-patch operation, or an unknown field under Strict."""
