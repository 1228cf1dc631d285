"""One image's whole conversation with its registry: ask, be challenged, ask again, conclude.

Bounded: one anonymous HEAD, one GET of `/v2/` where that was "not found", then for each of at most
five credentials one token and one HEAD, one GET where an index was found, and one of the tags where
nothing was. A registry that answers 401 for ever is left after that.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from msgspec.structs import replace

from backout.core.images.keyring import Credential, Keyring, Secret
from backout.core.images.names import ImageAnswer, ImageReference, ImageState
from backout.core.text import untrusted
from backout.registry import challenge as challenges
from backout.registry import token
from backout.registry.challenge import Challenge
from backout.registry.contents import with_entries
from backout.registry.verdict import Question, denied, speaks_registry, verdict

if TYPE_CHECKING:
    from backout.http.client import Response
    from backout.registry.route import Route

MOST_CREDENTIALS = 5


async def ask(image: ImageReference, *, keyring: Keyring, route: Route) -> ImageAnswer:
    """Return what the registry says of the image. Raises Unreachable where it says nothing."""
    question = Question(image=image)
    response = await route.head(image, None)
    answer = verdict(question, response)
    if answer.state is ImageState.MISSING:
        return await _let_in(question, answer, keyring, route)
    if response.status != HTTPStatus.UNAUTHORIZED:
        return await with_entries(answer, image, route, None)
    wanted = _wanted(response)
    if wanted is None:
        return denied(question, "401, and it asks for no authentication that backout speaks")
    return await _authenticated(image, wanted, keyring, route)


async def _authenticated(
    image: ImageReference, wanted: Challenge, keyring: Keyring, route: Route
) -> ImageAnswer:
    """Meet a challenge: with every credential there is, or as nobody where there is none."""
    credentials = keyring.credentials_for(image.name)[:MOST_CREDENTIALS]
    if not credentials:
        answer = await _anonymously(image, wanted, route)
        return _explained(answer, image, keyring)
    return await _in_turn(image, wanted, credentials, route)


async def _let_in(
    question: Question, missing: ImageAnswer, keyring: Keyring, route: Route
) -> ImageAnswer:
    """Return what a "not found" is worth that a stranger was given.

    Some registries say so to everybody who may not know (moby#17721). `/v2/` tells whether this one
    lets strangers in; what credentials there are, are tried in any case, by the challenge of `/v2/`
    or, without one, by name and password. An image is gone only for whoever was let in.
    """
    image, base = question.image, await route.base()
    wanted = _wanted(base) if base.status == HTTPStatus.UNAUTHORIZED else None
    is_open = base.status == HTTPStatus.OK and speaks_registry(base)
    if wanted is not None:
        return await _authenticated(image, wanted, keyring, route)
    if keyring.credentials_for(image.name):
        tried = await _authenticated(image, Challenge(scheme="basic"), keyring, route)
        if not is_open or tried.state is not ImageState.DENIED:
            return tried
    if is_open:
        return _explained(await _visible(question, missing, route, None), image, keyring)
    why = f"404 to strangers, and {base.status} for /v2/: it is not visible to us"
    return _explained(denied(question, why), image, keyring)


async def _visible(
    question: Question, missing: ImageAnswer, route: Route, authorization: Secret | None
) -> ImageAnswer:
    """Return what a stranger's "not found" is worth: he has to see the repository itself.

    Who is let in may see some repositories only, and anybody may be given a token: "not found" is
    said of the others, too (jfrog/terraform-provider-artifactory#1279, artipie/artipie#1249).
    """
    listed = await route.tags(question.image, authorization)
    if listed.status == HTTPStatus.OK and speaks_registry(listed):
        return missing
    why = f"404 to strangers, and {listed.status} for its tags: it is not visible to us"
    return denied(question, why)


def _wanted(response: Response) -> Challenge | None:
    return challenges.usable(challenges.parse(response.headers.get("www-authenticate", "")))


async def _in_turn(
    image: ImageReference, wanted: Challenge, credentials: tuple[Credential, ...], route: Route
) -> ImageAnswer:
    """Try every credential, as the kubelet does, until one sees the image.

    A "not found" for one of them outranks a refusal of the others, but not a later "here it is":
    some registries say 404 to those who may not know.
    """
    answers: list[ImageAnswer] = []
    for credential in credentials:
        answer = await _attempt(image, wanted, credential, route)
        if answer.state not in {ImageState.MISSING, ImageState.DENIED}:
            return answer
        answers.append(answer)
    missing = [answer for answer in answers if answer.state is ImageState.MISSING]
    tried = ", ".join(credential.key for credential in credentials)
    return missing[0] if missing else replace(answers[-1], credential=tried)


async def _attempt(
    image: ImageReference, wanted: Challenge, credential: Credential, route: Route
) -> ImageAnswer:
    access = f"with the credential for {_named(credential)}"
    question = Question(image=image, access=access, credential=credential.key)
    if wanted.scheme == "basic":
        return await _looked(question, route, credential.basic)
    granted = await _granted(question, wanted, credential, route)
    return await _looked(question, route, granted) if isinstance(granted, Secret) else granted


async def _anonymously(image: ImageReference, wanted: Challenge, route: Route) -> ImageAnswer:
    question = Question(image=image, access="with an anonymous token")
    if wanted.scheme == "basic":
        return denied(question, "401, it wants a name and a password")
    granted = await _granted(question, wanted, None, route)
    if not isinstance(granted, Secret):
        return granted
    answer = await _looked(question, route, granted)
    if answer.state is ImageState.MISSING:
        return await _visible(question, answer, route, granted)
    return answer


async def _granted(
    question: Question, wanted: Challenge, credential: Credential | None, route: Route
) -> Secret | ImageAnswer:
    """Return a token; what its refusal means where none is granted."""
    granted = await token.fetch(route, wanted, question.image, credential)
    if isinstance(granted, Secret):
        return granted
    return denied(question, f"{granted.status} from the token service, asked {question.access}")


async def _looked(question: Question, route: Route, authorization: Secret) -> ImageAnswer:
    answer = verdict(question, await route.head(question.image, authorization))
    return await with_entries(answer, question.image, route, authorization)


def _explained(answer: ImageAnswer, image: ImageReference, keyring: Keyring) -> ImageAnswer:
    """Say with a denial why there was no credential, if an entry is there and cannot be used."""
    if answer.state is not ImageState.DENIED:
        return answer
    unusable = keyring.unusable_for(image.name)
    why = unusable[0].reason if unusable else "no credential for it was given"
    return replace(answer, detail=f"{answer.detail}; {why}")


def _named(credential: Credential) -> str:
    return untrusted(f"{credential.key!r} in {credential.source}")
