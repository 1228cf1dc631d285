"""Docker's config files, as the kubelet reads them: text in, a keyring out, nothing run.

Source: kubernetes/kubernetes pkg/credentialprovider/config.go. What cannot be used is kept by its
name, so that a denial can say why; its value is never shown.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Any

from backout.core.keyring import Credential, Keyring, Secret, Unusable, normalise_key
from backout.core.text import untrusted


def from_docker_config(config: Mapping[str, Any], *, source: str) -> Keyring:
    """Read a parsed `config.json` of Docker's: `auths`; helpers are noted, never run."""
    auths = config.get("auths")
    keyring = from_auths(auths if isinstance(auths, Mapping) else {}, source=source)
    return Keyring(entries=keyring.entries, notes=(*_notes(config, source), *keyring.notes))


def from_auths(auths: Mapping[str, Any], *, source: str) -> Keyring:
    """Read registry key -> entry: `auths` above, or a whole legacy `.dockercfg`."""
    entries: list[Credential | Unusable] = []
    notes: list[str] = []
    for location, entry in auths.items():
        key = normalise_key(location)
        if key is None:
            notes.append(f"{source}: {untrusted(repr(location))} is no registry's address: ignored")
        elif (read := _entry(key, entry, source)) is not None:
            entries.append(read)
    return Keyring(entries=tuple(entries), notes=tuple(notes))


def _notes(config: Mapping[str, Any], source: str) -> Iterable[str]:
    if config.get("credsStore"):
        yield f"{source}: credsStore is not run; credentials it keeps are not used"
    helpers = config.get("credHelpers")
    if isinstance(helpers, Mapping) and helpers:
        hosts = untrusted(", ".join(map(str, helpers)))
        yield f"{source}: credHelpers are not run; credentials for {hosts} are not used"


def _entry(key: str, entry: Any, source: str) -> Credential | Unusable | None:
    if not isinstance(entry, Mapping):
        return Unusable(key=key, reason=f"the entry {_shown(key)} in {source} is no object")
    if entry.get("identitytoken"):
        return Unusable(
            key=key,
            reason=f"the entry {_shown(key)} in {source} is an identitytoken, not supported yet",
        )
    pair = _pair(entry)
    if isinstance(pair, str):
        return Unusable(key=key, reason=f"the entry {_shown(key)} in {source} {pair}")
    username, password = pair
    # `docker login` leaves an empty entry behind where a credsStore keeps the secret.
    if not username and not password:
        return None
    return Credential(key=key, source=source, username=username, password=Secret(password))


def _pair(entry: Mapping[str, Any]) -> tuple[str, str] | str:
    """Return name and password, or what is wrong. `auth` outranks the two fields."""
    values = [entry.get(k) or "" for k in ("username", "password", "auth")]
    username, password, auth = values
    if not all(isinstance(value, str) for value in values):
        return "has a username, password or auth that is no text"
    pair = _decoded(auth) if auth else (username, password)
    if pair is None:
        return "has an auth that is not base64 of name:password"
    return pair if _encodes(":".join(pair)) else "has a username or password that is no Unicode"


def _encodes(text: str) -> bool:
    try:
        text.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        return False
    return True


def _decoded(auth: str) -> tuple[str, str] | None:
    """Mirror `decodeDockerConfigFieldAuth`: padded or not, newlines ignored, nothing else."""
    compact = auth.replace("\n", "").replace("\r", "")
    padding = "" if auth.strip().endswith("=") else "=" * (-len(compact) % 4)
    try:
        text = base64.b64decode(compact + padding, validate=True).decode(errors="surrogateescape")
    except ValueError:
        return None
    username, colon, password = text.partition(":")
    return (username, password) if colon else None


def _shown(key: str) -> str:
    return untrusted(repr(key), 128)
