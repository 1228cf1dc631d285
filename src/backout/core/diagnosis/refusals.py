"""What the API server's refusal to create a Pod or a ReplicaSet means, by its words.

Texts are those of the admission plugins (kubernetes plugin/pkg/admission, measured on 1.34.4).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from backout.core.diagnosis.groups import Look, Rule

if TYPE_CHECKING:
    from collections.abc import Callable

_NOT_CALLED = re.compile(
    r"failed calling webhook|failed to call webhook|"
    r'denied (?:the )?request: .*namespace (?:"[^"]*" not found|is not cached)',
    re.IGNORECASE,
)
"""Or called before its own cache has what was made just now (gatekeeper#289, #558)."""
_NAMED = (
    ("ServiceAccount", re.compile(r"error looking up service account [^/\s]+/(?P<name>[^:\s]+)")),
    ("ServiceAccount", re.compile(r'serviceaccount "(?P<name>[^"]+)" not found')),
    ("PriorityClass", re.compile(r"no PriorityClass with name (?P<name>\S+) was found")),
    ("RuntimeClass", re.compile(r'RuntimeClass "(?P<name>[^"]+)" not found')),
)
_RULE = re.compile(
    r"violates PodSecurity|(?:minimum|maximum) \S+ usage per (?:Container|Pod) is|"
    r"\bmax limit to request ratio per (?:Container|Pod) is",
)
_OWN_NAME = re.compile(
    r'^(?:\(combined from similar events\): )?Error creating: |\bpods? "[^"]*"|'
    r'\b[a-z]{1,40}\.apps "[^"]*"|used: \S+',
    re.IGNORECASE,
)
"""What each attempt, and the event beside the condition, writes in another way."""


class NotCreated(Struct, frozen=True, kw_only=True):
    """A refusal: its class, the rule by which it may be final, and the object that it lacks.

    `awaits` is what is on its way by the server's own words; `about` the words without what each
    attempt writes again.
    """

    code: str
    rule: Rule
    about: str
    look: Look | None = None
    awaits: str = ""


def refusal(text: str) -> NotCreated:
    """Return what a refusal means; one that nobody knows may pass."""
    for known in _KINDS:
        found = known(text)
        if found is not None:
            return found
    return NotCreated(code="ADMISSION", rule=Rule.DEADLINE, about=_about(text))


def _about(text: str) -> str:
    return _OWN_NAME.sub("", text)[:300]


def _quota(text: str) -> NotCreated | None:
    if "status unknown for quota" in text:
        awaits = "the quota's own count (status unknown for quota)"
        return NotCreated(code="QUOTA", rule=Rule.PATIENCE, about="", awaits=awaits)
    if "exceeded quota" in text:
        return NotCreated(code="QUOTA", rule=Rule.PATIENCE, about="exceeded")
    if "failed quota" in text:
        return NotCreated(code="QUOTA", rule=Rule.AGAIN, about=_about(text))
    return None


def _not_called(text: str) -> NotCreated | None:
    if _NOT_CALLED.search(text):
        return NotCreated(code="ADMISSION", rule=Rule.DEADLINE, about="webhook")
    return None


def _lacking(text: str) -> NotCreated | None:
    for kind, words in _NAMED:
        found = words.search(text)
        if found is not None:
            look = Look(kind=kind, name=found["name"])
            return NotCreated(code="ADMISSION", rule=Rule.PATIENCE, about=str(look), look=look)
    return None


def _token(text: str) -> NotCreated | None:
    if "no API token found for service account" in text:
        awaits = "the ServiceAccount's token"
        return NotCreated(code="ADMISSION", rule=Rule.PATIENCE, about="token", awaits=awaits)
    return None


def _forbidden(text: str) -> NotCreated | None:
    if _RULE.search(text) or " is invalid: " in text:
        return NotCreated(code="ADMISSION", rule=Rule.AT_ONCE, about=_about(text))
    if "denied the request" in text or "denied request" in text or "is forbidden" in text:
        return NotCreated(code="ADMISSION", rule=Rule.AGAIN, about=_about(text))
    return None


_KINDS: tuple[Callable[[str], NotCreated | None], ...] = (
    _not_called,
    _lacking,
    _token,
    _quota,
    _forbidden,
)
