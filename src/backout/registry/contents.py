"""Reads the index of an image that is there: its entries, one for each platform.

Only an index is read, and what comes without a digest: Docker Hub counts every GET of a manifest.
That an index cannot be read does not make its image less there.
"""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from typing import TYPE_CHECKING

from msgspec.structs import replace

from backout.core.errors import Unreachable
from backout.core.images.manifests import INDEX_TYPES, entries, is_manifest
from backout.core.images.names import ImageAnswer, ImageReference, ImageState
from backout.core.text import untrusted

if TYPE_CHECKING:
    from backout.core.images.keyring import Secret
    from backout.http.client import Response
    from backout.registry.route import Route


async def with_entries(
    answer: ImageAnswer, image: ImageReference, route: Route, authorization: Secret | None
) -> ImageAnswer:
    """Return the answer with what stands in the index, or with why that could not be read."""
    is_index = answer.media_type in INDEX_TYPES
    if answer.state is not ImageState.EXISTS or (answer.digest and not is_index):
        return answer
    try:
        response = await route.get(image, answer.digest or image.manifest, authorization)
    except Unreachable as error:
        return _unread(answer, untrusted(error.message))
    if response.status != HTTPStatus.OK:
        return _unread(answer, f"the registry answered {response.status}")
    return _read(answer, response, is_index=is_index)


def _read(answer: ImageAnswer, response: Response, *, is_index: bool) -> ImageAnswer:
    found = f"sha256:{hashlib.sha256(response.body).hexdigest()}"
    told = answer.digest or found
    if told.startswith("sha256:") and told != found:
        return _unread(answer, "the registry sent other bytes than their digest says")
    listed = entries(response.body)
    if not is_manifest(response.body) or (is_index and listed is None):
        return _unread(answer, "it is no index that can be read")
    return replace(answer, digest=told, entries=listed)


def _unread(answer: ImageAnswer, why: str) -> ImageAnswer:
    return replace(answer, unread=why)
