"""Bodies of successful answers -> objects, lists, watch events. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from backout.core.errors import Unreachable
from backout.core.kubernetes.objects import dig
from backout.kube.answers import WatchEvent
from backout.kube.status import error_from_status, unusable

if TYPE_CHECKING:
    from backout.http.response import Response


def object_in(response: Response, *, host: str) -> dict[str, Any]:
    """Return the JSON object of a 2xx answer; raise Unreachable for anything else."""
    try:
        found = json.loads(response.body)
    except (ValueError, RecursionError):
        if response.headers.content_type in {"", "application/json"}:
            raise Unreachable(
                f"{host} answered with JSON that is broken or cut off",
                remedy="try again, and check whether a proxy cuts the answer",
            ) from None
        raise unusable(response.status, response.headers, host=host) from None
    if not isinstance(found, dict):
        raise Unreachable(
            f"{host} answered with JSON that is no object",
            remedy="look at the server's address and at the proxy in front of it",
        )
    return found


def items_in(page: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a list's items, each with the kind and apiVersion that the list says once for all."""
    kind = str(dig(page, "kind", default="")).removesuffix("List")
    version = str(dig(page, "apiVersion", default=""))
    found = [item for item in dig(page, "items", default=[]) if isinstance(item, dict)]
    if not kind or not version:
        return found
    return [{"kind": kind, "apiVersion": version, **item} for item in found]


def counted_in(answer: dict[str, Any]) -> tuple[dict[str, Any], int | None]:
    """Return an object's metadata and how many entries its data has, from its row of a Table.

    The second is None where no such column is printed (`printSecret` and `printConfigMap` in
    kubernetes pkg/printers/internalversion/printers.go do), or the answer is no Table.
    """
    if dig(answer, "kind") != "Table":
        return answer, None
    names = [dig(column, "name") for column in dig(answer, "columnDefinitions", default=[])]
    row: dict[str, Any] = next(iter(dig(answer, "rows", default=[])), {})
    count = dict(zip(names, dig(row, "cells", default=[]), strict=False)).get("Data")
    return dig(row, "object", default={}), count if isinstance(count, int) else None


def event_in(line: bytes, *, host: str) -> WatchEvent:
    """Return the event of one line of a watch; raise the error that an ERROR event holds.

    Raises Unreachable for a line that is not a whole event: the connection was cut inside it.
    """
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        raise Unreachable(f"the watch of {host} was cut inside an event") from None
    kind, obj = dig(found, "type"), dig(found, "object")
    if not isinstance(kind, str) or not isinstance(obj, dict):
        raise Unreachable(f"the watch of {host} gave something that is no event")
    if kind == "ERROR":
        raise error_from_status(obj)
    return WatchEvent(type=kind, object=obj)
