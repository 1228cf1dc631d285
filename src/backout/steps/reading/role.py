"""What is denied, told with the Role's rule that would grant it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.errors import Forbidden
from backout.core.rights import permissions
from backout.kube.status import is_of_policy

if TYPE_CHECKING:
    from backout.core.kinds.kind import Kind


def with_role(error: Forbidden, resource: str, kind: Kind | None = None) -> Forbidden:
    """Return the error with the Role's rule that would grant what was denied.

    `kind` is of the workload that the resource is, or is the history of. No Role lifts what a
    policy denies: that error is left as it is.
    """
    if is_of_policy(error.message):
        return error
    return Forbidden(
        error.message,
        code=error.code,
        reason=error.reason,
        details=error.details,
        remedy=permissions.remedy(resource, kind),
    )
