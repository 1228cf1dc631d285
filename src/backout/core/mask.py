"""What may be told of a text: all but the secrets that a run knows, and what looks like one."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from msgspec import Struct

from backout.core.text import MASK, masked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")

SHORTEST = 6
"""Characters: what is shorter is no secret, and would be found in every other word."""


class Mask:
    """Masks all that leaves the program; what turns up while it runs is learnt on the way."""

    def __init__(self, *secrets: str) -> None:
        self._known: list[str] = []
        self.learn(*secrets)

    def learn(self, *secrets: str) -> None:
        """Leave these out from now on, also where they are quoted for a URL or for JSON."""
        found = {form for one in secrets if len(one) >= SHORTEST for form in _forms(one)}
        # The longest first: one may be a part of another.
        self._known = sorted({*self._known, *found}, key=len, reverse=True)

    def learn_logins(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Leave the passwords of names out, also in the header that they are sent in (RFC 7617)."""
        for user, password in pairs:
            pair = f"{user}:{password}".encode(errors="surrogateescape")
            self.learn(password, base64.b64encode(pair).decode("ascii"))

    def text(self, words: str) -> str:
        """Return a text without its secrets."""
        for secret in self._known:
            words = words.replace(secret, MASK)
        return masked(words)

    def of(self, value: T) -> T:
        """Return a value whose texts are without secrets, at any depth; others as they are."""
        return self._of(value)  # type: ignore[no-any-return]

    def _of(self, value: Any) -> Any:
        return self.text(value) if isinstance(value, str) else mapped(value, self._of)


def mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """Return a value with all that it is made of changed; one that has no parts as it is."""
    match value:
        case Struct():
            fields = value.__struct_fields__
            return type(value)(**{name: change(getattr(value, name)) for name in fields})
        case Mapping():
            return {change(name): change(one) for name, one in value.items()}
        case list() | tuple():
            return type(value)(map(change, value))
        case _:
            return value


def _forms(secret: str) -> set[str]:
    return {secret, quote(secret, safe=""), json.dumps(secret)[1:-1]}
