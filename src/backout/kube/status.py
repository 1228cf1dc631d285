"""What the API server says went wrong -> an error of ours. Pure.

Only `kind: Status` is repeated to people, escaped and cut: any other body may be a proxy's, and
"who knows which sensitive information can be dumped" (kopf, clients/errors.py).
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from backout.core.errors import (
    ApiError,
    BackoutError,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    Unauthorized,
    Unreachable,
)
from backout.core.kubernetes.objects import dig
from backout.core.text import untrusted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backout.http.response import Headers, Response

UNAUTHORIZED, TOO_MANY = 401, 429

_FLOW = "x-kubernetes-pf-flowschema-uid"

_POLICY = re.compile(r"admission webhook .* denied|ValidatingAdmissionPolicy .* denied")
"""The API server's words where a policy refuses what RBAC allows (gatekeeper#256)."""

_ROLE = (
    "ask for a Role that allows it (backout rbac prints one), or act as someone with permission "
    "(--as)"
)
_KINDS: Mapping[int, tuple[type[ApiError], str]] = {
    401: (Unauthorized, "log in again, or check the user in `kubectl config view --minify`"),
    403: (Forbidden, _ROLE),
    404: (NotFound, "check the name, the namespace and the context"),
    409: (Conflict, "somebody else changed it: read it again"),
    410: (Gone, "list again"),
    422: (Invalid, ""),
}
_WITHOUT_STATUS = {
    401: "You must be logged in to the server",
    403: "the server does not allow this request",
    404: "the server could not find the requested resource",
    410: "the resourceVersion is too old",
}


def is_success(status: int) -> bool:
    """Tell whether the request was carried out."""
    return 200 <= status < 300  # noqa: PLR2004


def error_of(response: Response, host: str) -> BackoutError:
    """Return what an answer that is no success means."""
    return error_from(response.status, response.headers, response.body, host=host)


def status_of(body: bytes) -> dict[str, Any] | None:
    """Return the Status object that a body holds, or None where it is anything else."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if is_status(found) else None


def is_status(found: object) -> bool:
    """Tell whether this is an API server's own answer: `kind: Status`, `apiVersion: v1`."""
    return (
        isinstance(found, dict)
        and found.get("kind") == "Status"
        and found.get("apiVersion") == "v1"
    )


def is_of_api_server(response: Response) -> bool:
    """Tell whether the API server itself answered, and no proxy in its place.

    By a Status; or by what priority and fairness puts on each answer, the plain text included with
    which it turns a request away (apiserver pkg/server/filters/priority-and-fairness.go).
    """
    return status_of(response.body) is not None or bool(response.headers.get(_FLOW, ""))


def is_of_policy(message: str) -> bool:
    """Tell whether an admission policy refused what RBAC allows."""
    return bool(_POLICY.search(message))


def message_of(status: Mapping[str, Any]) -> str:
    """Return a Status object's message: `deployments.apps "web" not found`; safe to print."""
    return untrusted(str(dig(status, "message", default="")))


def error_from_status(status: Mapping[str, Any], *, http_status: int = 0) -> ApiError:
    """Return the error for a Status object, wherever it came from: a body or a watch."""
    said = dig(status, "code", default=http_status)
    code = said if isinstance(said, int) and 100 <= said <= 599 else http_status or 500  # noqa: PLR2004
    reason = untrusted(str(dig(status, "reason", default="")), 64)
    message = message_of(status) or reason or f"the API server answered HTTP {code}"
    if code == UNAUTHORIZED:
        message = f"{_WITHOUT_STATUS[code]} ({message})"
    details = dig(status, "details", default={})
    return _api_error(code, message, reason, details if isinstance(details, dict) else {})


def error_from(status: int, headers: Headers, body: bytes, *, host: str) -> BackoutError:
    """Return the error for an answer that is not a success (not 2xx).

    `details.retryAfterSeconds` is filled in from Retry-After where the Status lacks it.
    """
    found = status_of(body)
    if found is not None:
        error = error_from_status(found, http_status=status)
    elif status in _WITHOUT_STATUS or status == TOO_MANY:
        message = _WITHOUT_STATUS.get(status, "the server is busy")
        error = _api_error(status, f"{message} ({kind_of_answer(status, headers)})", "", {})
    else:
        return unusable(status, headers, host=host)
    seconds = retry_after(headers)
    if seconds is not None:
        error.details.setdefault("retryAfterSeconds", seconds)
    return error


def unusable(status: int, headers: Headers, *, host: str) -> Unreachable:
    """Return the error for an answer that no API server gives."""
    remedy = "check server and proxy-url in the kubeconfig: a proxy may have answered"
    if 300 <= status < 400:  # noqa: PLR2004
        return Unreachable(f"{host} answered with a redirect (HTTP {status})", remedy=remedy)
    return Unreachable(f"{host} answered {kind_of_answer(status, headers)}", remedy=remedy)


def kind_of_answer(status: int, headers: Headers) -> str:
    """Return `HTTP 502 with a body of text/html`: all that is said about a foreign body."""
    content_type = untrusted(headers.content_type, 60)
    return f"HTTP {status} with a body of {content_type}" if content_type else f"HTTP {status}"


def retry_after(headers: Headers) -> int | None:
    """Return Retry-After in seconds; None where absent or a date (the API server sends none)."""
    text = headers.get("retry-after", "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else None  # noqa: PLR2004


def _api_error(code: int, message: str, reason: str, details: dict[str, object]) -> ApiError:
    kind, remedy = _KINDS.get(code, (ApiError, ""))
    if code >= 500:  # noqa: PLR2004
        remedy = "try again in a moment: the API server itself has trouble"
    if code == TOO_MANY:
        remedy = "try again: the API server is busy"
    if is_of_policy(message):
        remedy = (
            "ask the owner of the admission policy for an exception: no Role lifts that "
            "(backout writes Leases named backout-*)"
        )
    return kind(message, code=code, reason=reason, details=dict(details), remedy=remedy)
