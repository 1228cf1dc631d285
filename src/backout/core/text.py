"""Other people's text on its way to a terminal or a log: nothing in it may act, hide or leak.

What a cluster, a registry or a service says is untrusted: an event message
may carry an escape sequence that rewrites the screen, a bidi override that turns a name round, or
a password. `masked` first, `untrusted` last: `untrusted(masked(text))`.
"""

from __future__ import annotations

import re
import unicodedata

_ELLIPSIS = "…"
MASK = "***"
"""Stands for what must not be told."""

# Cc: C0, C1 and DEL; Cf: bidi controls, zero-width and tag characters; Cs: lone surrogates, which
# no encoder writes; Co, Cn: nobody knows what a terminal makes of them; Zl, Zp: line breaks.
_ACTING = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})

# Drawn as nothing although their category says letter, mark or symbol (Unicode's
# Default_Ignorable_Code_Point, and the blank Braille pattern): two names would look the same.
_BLANK = frozenset(
    {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0}
    | set(range(0x180B, 0x1810))
    | set(range(0xFE00, 0xFE10))
    | set(range(0xE0100, 0xE01F0))
)

_HASHES = re.compile(r"##(?=[A-Za-z]{0,16}\[)")
_COLONS = re.compile(r"\s*:(?=:[^:]*::)")
_LONGEST_COMMAND = 64

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def untrusted(text: str, cap: int = 256) -> str:
    r"""Return `text` with all that acts or hides made visible, at most `cap` characters long.

    Control, format and invisible characters become escapes as Python writes them (`\x1b`,
    `\u202e`); printable Unicode stays. What does not fit is replaced by `…`, and no escape is cut
    in half. What a CI runner would take for a command of its own is broken by an escape. The result
    is one line, encodes as UTF-8, and is left alone by a second call. It is
    still no markup: a renderer that knows markup must not parse it.
    """
    pieces: list[str] = []
    room = cap
    acting = _commands(text[: cap + _LONGEST_COMMAND])
    for place, character in enumerate(text[: cap + 1]):
        piece = f"\\x{ord(character):02x}" if place in acting else _visible(character)
        room -= len(piece)
        if room < 0:
            return _cut(pieces, cap)
        pieces.append(piece)
    return "".join(pieces)


def _commands(text: str) -> set[int]:
    """Return where a character has to be escaped, so that no CI runner obeys the text.

    GitHub (actions/runner, ActionCommand.cs) and Azure Pipelines look for `##[` and `##vso[`
    anywhere in a line, TeamCity and GitHub's `::name::` only at its start.
    """
    found = {match.start() + 1 for match in _HASHES.finditer(text)}
    return found | {match.end() - 1 for match in [_COLONS.match(text)] if match}


def _cut(pieces: list[str], cap: int) -> str:
    length = sum(map(len, pieces))
    while pieces and length + len(_ELLIPSIS) > cap:
        length -= len(pieces.pop())
    return "".join(pieces) + _ELLIPSIS[:cap]


def _visible(character: str) -> str:
    code = ord(character)
    if unicodedata.category(character) not in _ACTING and code not in _BLANK:
        return character
    if character in _SHORT:
        return _SHORT[character]
    if code <= 0xFF:  # noqa: PLR2004 - the last code point of two hex digits
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - four


# Each is looked for only where its words are in the text: compiling all of them takes 8 ms.
_PEM = r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"

# JSON that stands in JSON, as log shippers write it, has backslashes before its quotes.
_VALUE = r"""\\{1,8}"[^"]*"?|"[^"]*"?|'[^']*'?"""

_HEADER = (
    r"""(?i)\b((?:proxy-)?authorization|(?:set-)?cookie)(\\{0,8}["']?\s{0,4}[:=]\s{0,4})"""
    rf"""({_VALUE}|[^\r\n]+)"""
)

# The lookahead spares "Basic authentication" and "bearer token": a value has a digit, padding or
# a capital in the middle.
_SCHEME = (
    r"\b([Bb]earer|BEARER|[Bb]asic|BASIC)(\s+)(?!realm=)"
    r"(?=\S{0,512}(?:\d|=|[a-z][A-Z]))[\w+/.~=-]{6,}"
)

_KEYS = ("token", "passw", "passphrase", "pwd", "secret", "key", "credential", "signature")

# A colon needs a blank or a quote beside it: `acme/my-secret:1.2` is an image, not a secret.
_KEYED = (
    r"""(?i)(token|passw(?:or)?d|passphrase|pwd|secret|api[-_]?key|access[-_]?key|"""
    r"""private[-_]?key|credentials?|signature)"""
    r"""(\\{0,8}["']\s{0,4}[=:]\s{0,4}|\s{0,4}=\s{0,4}|\s{0,4}:\s{1,4}|"""
    r"""(?:(?<=password)|(?<=passwd)):)"""
    rf"""({_VALUE}|[^\s,;&"'}}\])]+)"""
)

_USERINFO = r"(?<=://)[^\s/]*@"

_LONG = r"(?a)[\w+/-]{32,}={0,2}"

_JWT = r"(?a)\beyJ[\w-]{8,}(?:\.[\w-]*){0,4}"

# Base64 has a slash in 64 characters on average, a path one in ten: a long piece tells them apart.
_SECRET_PIECE = 20

_RULES: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (("-----begin ",), _PEM, MASK),
    (("authorization", "cookie"), _HEADER, rf"\1\2{MASK}"),
    (("bearer", "basic"), _SCHEME, rf"\1\2{MASK}"),
    (_KEYS, _KEYED, rf"\1\2{MASK}"),
    (("@",), _USERINFO, f"{MASK}@"),
    (("eyj",), _JWT, MASK),
)
"""What must be in the text (in small letters), what is looked for then, and what stands for it."""


def masked(text: str) -> str:
    """Return `text` with what looks like a credential replaced by `***`, for errors and logs.

    Masked are: Authorization and Cookie headers, `Bearer` and `Basic` values, values of keys named
    token, password, secret and the like (`=` or `:`), userinfo in URLs, JWTs, private keys in PEM,
    and long runs that mix capitals, small letters and digits. Digests, UIDs, Pod names and paths
    stay. This is a net under free text, no licence to put a secret into it.
    """
    low = text.lower()
    for words, pattern, instead in _RULES:
        if any(word in low for word in words):
            text = re.sub(pattern, instead, text)
    return re.sub(_LONG, _masked_run, text)


def _masked_run(match: re.Match[str]) -> str:
    pieces = match[0].split("/")
    return MASK if any(_looks_random(piece) for piece in pieces) else match[0]


def _looks_random(piece: str) -> bool:
    return (
        len(piece) >= _SECRET_PIECE
        and any(c.isupper() for c in piece)
        and any(c.islower() for c in piece)
        and any(c.isdigit() for c in piece)
    )
