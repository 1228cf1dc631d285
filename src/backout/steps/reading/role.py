"""What is denied, told with the Role's rule that would grant it."""

from __future__ import annotations

from backout.core.errors import Forbidden
from backout.core.rights import permissions


def with_role(error: Forbidden, resource: str) -> Forbidden:
    """Return the error with the Role's rule that would grant what was denied."""
    return Forbidden(
        error.message,
        code=error.code,
        reason=error.reason,
        details=error.details,
        remedy=permissions.remedy(resource),
    )
