"""A registry's response, read for what it proves (docs/facts/registries.md).

Only "not found" from somebody who let us in, or shows us the repository, proves that an image is
gone. A refusal hides existence, and whatever did not come from a registry proves nothing.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msgspec import Struct

from backout.core.images.names import ImageAnswer, ImageReference, ImageState, check_digest
from backout.core.text import untrusted

if TYPE_CHECKING:
    from backout.http.client import Response

# Digits of a Retry-After that is worth repeating.
_LONG_WAIT = 7


class Question(Struct, frozen=True, kw_only=True):
    """What was asked, and as whom: `access` completes "asked …", `credential` is its key."""

    image: ImageReference
    access: str = "without a credential"
    credential: str | None = None


def verdict(question: Question, response: Response) -> ImageAnswer:
    """Return what a response to `HEAD …/manifests/…` proves."""
    if not speaks_registry(response):
        return unreachable(question, f"the registry answered {response.status} with a web page")
    match response.status:
        case HTTPStatus.OK:
            return _found(question, response)
        case HTTPStatus.NOT_FOUND:
            return _missing(question)
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN as status:
            return denied(question, f"{status:d}, asked {question.access}")
        case _:
            return unreachable(question, _no_answer(question, response))


def denied(question: Question, why: str) -> ImageAnswer:
    """Return DENIED: the registry does not say whether the image is there."""
    return _answer(
        question,
        ImageState.DENIED,
        f"{question.image.registry} does not say whether {question.image} is there ({why})",
    )


def unreachable(question: Question, why: str) -> ImageAnswer:
    """Return UNREACHABLE: no answer, or none that says anything."""
    return _answer(
        question,
        ImageState.UNREACHABLE,
        f"cannot tell whether {question.image} is there: {why}",
    )


def _missing(question: Question) -> ImageAnswer:
    return _answer(
        question,
        ImageState.MISSING,
        f"{question.image.registry} does not have {question.image} (404, asked {question.access})",
    )


def _found(question: Question, response: Response) -> ImageAnswer:
    image, told = question.image, _digest(response)
    if image.digest and told and _same_algorithm(image.digest, told) and told != image.digest:
        return unreachable(question, f"the registry answered for another digest, {told}")
    digest = image.digest or told
    media_type = response.headers.get("content-type", "").partition(";")[0].strip()
    return ImageAnswer(
        image=str(image),
        state=ImageState.EXISTS,
        detail=f"{image.registry} has {image}" + (f" ({digest})" if digest else ""),
        digest=digest,
        media_type=untrusted(media_type, 128) or None,
        credential=question.credential,
    )


def _digest(response: Response) -> str | None:
    """Return Docker-Content-Digest; older registries leave it out, so it is no condition."""
    told = response.headers.get("docker-content-digest", "").strip()
    try:
        check_digest(told)
    except ValueError:
        return None
    return told


def _same_algorithm(one: str, other: str) -> bool:
    return one.partition(":")[0] == other.partition(":")[0]


def speaks_registry(response: Response) -> bool:
    """Tell a registry from a captive portal, a proxy or a parked domain, which speak HTML."""
    return "docker-distribution-api-version" in response.headers or not response.headers.get(
        "content-type", ""
    ).lower().startswith(("text/html", "application/xhtml"))


def _no_answer(question: Question, response: Response) -> str:
    status = response.status
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        wait = response.headers.get("retry-after", "").strip()
        advice = f"; wait {wait} s" if wait.isdigit() and len(wait) < _LONG_WAIT else ""
        return f"the registry answered 429, too many requests{advice}"
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        there = _host(response.headers.get("location", ""), question.image.registry)
        return f"the registry redirects to {there} ({status}), which is not followed"
    return f"the registry answered {status}"


def _host(location: str, otherwise: str) -> str:
    try:
        host = urlsplit(location).netloc.rpartition("@")[2]
    except ValueError:
        return "an address that is none"
    return untrusted(host, 128) or otherwise


def _answer(question: Question, state: ImageState, detail: str) -> ImageAnswer:
    return ImageAnswer(
        image=str(question.image), state=state, detail=detail, credential=question.credential
    )
