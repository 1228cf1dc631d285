"""Which credentials go with which image: the kubelet's rules, copied exactly.

Source: kubernetes/kubernetes pkg/credentialprovider/keyring.go (`Add`, `URLsMatch`, `Lookup`).
A rule that is kinder here than there would call an image reachable that no node can pull; one
that is looser would send a password to a stranger.
"""

from __future__ import annotations

import base64
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING
from urllib.parse import unquote

from msgspec import Struct

from backout.core.discreet import Discreet, Hidden

if TYPE_CHECKING:
    from collections.abc import Iterator

_HUB_KEY = "index.docker.io"
_HUB_DOMAINS = frozenset({"docker.io", _HUB_KEY})

# What Go's URL parser leaves of a host, without the `!` that Python's globs read as "not".
_AUTHORITY = re.compile(r"[A-Za-z0-9._*\[\]:-]*")
_PORT = re.compile(r"(?:.*:)?[0-9]*|[^:]*")


class Secret:
    """A text that never shows itself: repr and str are `***`; `reveal()` is for the wire alone."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself. Never into a message, a log or a record."""
        return self._text

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)


class Credential(Discreet, frozen=True, kw_only=True):
    """A name and a password for the images under one key of a Docker config.

    `key` is the normalised key (`ghcr.io/acme`), `source` says where it comes from (`the file
    of --registry-auth-file`, later `Secret ns/name`): the two together are its name for people.
    """

    key: str
    source: str
    username: Hidden[str]
    password: Secret

    @property
    def basic(self) -> Secret:
        """The value of an `Authorization` header, RFC 7617."""
        pair = f"{self.username}:{self.password.reveal()}".encode(errors="surrogateescape")
        return Secret(f"Basic {base64.b64encode(pair).decode('ascii')}")


class Unusable(Struct, frozen=True, kw_only=True):
    """An entry that is there and cannot be used, and why in one sentence (never its value)."""

    key: str
    reason: str


class Keyring(Struct, frozen=True, kw_only=True):
    """Credentials by registry key. Empty by default: everything is asked anonymously.

    `notes` are sentences about the whole config that its user should read once.
    """

    entries: tuple[Credential | Unusable, ...] = ()
    notes: tuple[str, ...] = ()

    def credentials_for(self, name: str) -> tuple[Credential, ...]:
        """Return all credentials for image `name` (`docker.io/library/nginx`), best first.

        They are tried in turn. None: the image is asked for anonymously, as the kubelet does.
        """
        return tuple(e for e in self._matching(name) if isinstance(e, Credential))

    def unusable_for(self, name: str) -> tuple[Unusable, ...]:
        """Return the entries for image `name` that cannot be used: the reason for a denial."""
        return tuple(e for e in self._matching(name) if isinstance(e, Unusable))

    def joined(self, other: Keyring) -> Keyring:
        """Return both; this one's credentials come first (`UnionDockerKeyring`)."""
        return Keyring(entries=self.entries + other.entries, notes=self.notes + other.notes)

    def logins(self) -> Iterator[tuple[str, str]]:
        """Give each name with its password: for what must not be told, and for the wire."""
        for entry in self.entries:
            if isinstance(entry, Credential):
                yield entry.username, entry.password.reveal()

    def _matching(self, name: str) -> list[Credential | Unusable]:
        # Reverse order puts the longer key, the more specific one, first.
        ordered = sorted(self.entries, key=lambda entry: entry.key, reverse=True)
        found = [entry for entry in ordered if key_matches(entry.key, name)]
        if found or not is_default_registry(name):
            return found
        return [entry for entry in ordered if entry.key == _HUB_KEY]


def normalise_key(location: str) -> str | None:
    """Return a config's key as host and path: no scheme, no leading `/v1/` or `/v2/`.

    None where Go's URL parser would refuse it. `https://index.docker.io/v1/` is `index.docker.io`.
    """
    without_scheme = re.sub(r"\Ahttps?://", "", location)
    authority, path = _split(without_scheme)
    after_ipv6 = authority.rpartition("]")[2]
    if not (_AUTHORITY.fullmatch(authority) and _PORT.fullmatch(after_ipv6)):
        return None
    if path.startswith(("/v1/", "/v2/")):
        path = path[3:]
    return authority + (path if path != "/" else "")


def key_matches(key: str, name: str) -> bool:
    """Tell whether a key is for an image: `URLsMatch`.

    Host label by label, `*` within one label; the ports equal, none being no port; the key's path
    a plain prefix of the image's, so that `reg/foo` is for `reg/foobar` too.
    """
    (key_host, key_path), (host, path) = _split(key), _split(name)
    key_labels, key_port = _labels(key_host)
    labels, port = _labels(host)
    return (
        key_port == port
        and len(key_labels) == len(labels)
        and path.startswith(key_path)
        and all(map(fnmatchcase, labels, key_labels))
    )


def is_default_registry(name: str) -> bool:
    """Tell whether an image name belongs to Docker Hub: `isDefaultRegistryMatch`."""
    first, slash, _ = name.partition("/")
    if not first:
        return False
    return not slash or first in _HUB_DOMAINS or not ({".", ":"} & set(first))


def _split(text: str) -> tuple[str, str]:
    """Return authority and decoded path, as Go's `url.Parse` of `https://` + text."""
    authority, slash, path = re.split(r"[?#]", text, maxsplit=1)[0].partition("/")
    return authority.rpartition("@")[2], unquote(slash + path, errors="surrogateescape")


def _labels(authority: str) -> tuple[list[str], str]:
    """Mirror `SplitURL`: Go's `net.SplitHostPort`, or all of it as host where that fails."""
    if match := re.fullmatch(r"(?:\[(.*)\]|([^:]*)):([^:]*)", authority):
        return (match[1] if match[2] is None else match[2]).split("."), match[3]
    return authority.split("."), ""
