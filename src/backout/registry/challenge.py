"""What a 401 asks for: the WWW-Authenticate header of RFC 9110, section 11.6.1."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Mapping

_HEADER_LIMIT = 8192

_WORD = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_PARAMETER = re.compile(rf'({_WORD})\s{{0,8}}=\s{{0,8}}(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_SCHEME = re.compile(rf"({_WORD})(?=[\s,]|\Z)")
# RFC 9110's token68, `Negotiate YII…=`: said by schemes that are not ours, so it is stepped over.
_OTHER = re.compile(r"\s+[A-Za-z0-9._~+/-]+=*(?=\s*(?:,|\Z))")
_GAP = re.compile(r"[\s,]*")


class Challenge(Struct, frozen=True, kw_only=True):
    """One way to authenticate: `scheme` in lower case (`bearer`), parameters by lower-case name."""

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=dict)


def parse(header: str) -> tuple[Challenge, ...]:
    """Return the challenges of a header, in its order; several header lines join with a comma.

    A comma separates parameters and challenges alike: a name with `=` behind it belongs to the
    challenge before it. Of a name said twice the first counts. What cannot be read ends the
    parse: the challenges before it stand.
    """
    header = header[:_HEADER_LIMIT]
    found: list[tuple[str, dict[str, str]]] = []
    place = _gap(header, 0)
    while place < len(header):
        if found and (parameter := _PARAMETER.match(header, place)):
            found[-1][1].setdefault(parameter[1].lower(), _value(parameter))
            place = parameter.end()
        elif scheme := _SCHEME.match(header, place):
            found.append((scheme[1].lower(), {}))
            other = _OTHER.match(header, scheme.end())
            place = other.end() if other else scheme.end()
        else:
            break
        place = _gap(header, place)
    return tuple(Challenge(scheme=name, parameters=values) for name, values in found)


def usable(challenges: tuple[Challenge, ...]) -> Challenge | None:
    """Return the challenge to meet: Bearer with a realm, else Basic, else None.

    Bearer first, for a registry that offers both keeps the password out of its own requests.
    """
    bearer = [c for c in challenges if c.scheme == "bearer" and c.parameters.get("realm")]
    basic = [c for c in challenges if c.scheme == "basic"]
    return next(iter(bearer + basic), None)


def _gap(header: str, place: int) -> int:
    match = _GAP.match(header, place)
    return match.end() if match else place


def _value(parameter: re.Match[str]) -> str:
    quoted = parameter[2]
    return parameter[3] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
