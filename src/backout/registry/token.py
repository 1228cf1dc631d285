"""A bearer token from a registry's token service.

distribution.github.io/distribution/spec/auth/token: GET with `service` and `scope`; the POST of
the OAuth 2 variant is optional there and not used here.
"""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from backout.core.errors import Unreachable
from backout.core.images.keyring import Credential, Secret

if TYPE_CHECKING:
    from backout.core.images.names import ImageReference
    from backout.registry.challenge import Challenge
    from backout.registry.route import Route

# What a header can carry without meaning something else.
_TOKEN = re.compile(r"[\x21-\x7e]{1,65536}")


class TokenRefused(Struct, frozen=True, kw_only=True):
    """The service does not give this caller a token: 401 or 403."""

    status: int


async def fetch(
    route: Route, challenge: Challenge, image: ImageReference, credential: Credential | None
) -> Secret | TokenRefused:
    """Return the value of an `Authorization` header that may pull this image.

    Without a credential an anonymous token is asked for, as the kubelet does. The scope is ours
    (`repository:NAME:pull`), never the challenge's. Raises Unreachable for everything that is
    neither a token nor a refusal.
    """
    query = {"scope": f"repository:{image.repository}:pull"}
    if service := challenge.parameters.get("service"):
        query = {"service": service, **query}
    basic = None if credential is None else credential.basic
    response = await route.token(challenge.parameters.get("realm", ""), query, basic)
    match response.status:
        case HTTPStatus.OK:
            return Secret(f"Bearer {_token(response.body)}")
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN as status:
            return TokenRefused(status=status)
        case status:
            raise Unreachable(f"the token service answered {status}")


def _token(body: bytes) -> str:
    """Return `token`, or `access_token` for those that speak OAuth 2."""
    try:
        answer: Any = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    if isinstance(answer, dict):
        token = answer.get("token") or answer.get("access_token")
        if isinstance(token, str) and _TOKEN.fullmatch(token):
            return token
    # The body is not repeated and not chained: it may hold a token anyway.
    raise Unreachable("the token service answered without a token")
