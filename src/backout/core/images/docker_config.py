"""Docker's config files, as the kubelet reads them: text in, a keyring out, nothing run.

Source: kubernetes/kubernetes pkg/credentialprovider/config.go. What cannot be used is kept by its
name, so that a denial can say why; its value is never shown.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from backout.core.images.keyring import Credential, Keyring, Secret, Unusable, normalise_key
from backout.core.kubernetes import objects
from backout.core.text import untrusted

if TYPE_CHECKING:
    from backout.core.model import Object

_CONFIG_JSON = ".dockerconfigjson"
_SECRET_KEYS = {
    "kubernetes.io/dockerconfigjson": _CONFIG_JSON,
    "kubernetes.io/dockercfg": ".dockercfg",
}


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


def from_secret(secret: Object, *, source: str) -> Keyring | str:
    """Read a pull Secret of either type; return why it holds no credentials, never what it holds.

    Source: kubernetes pkg/credentialprovider/secrets/secrets.go (MakeDockerKeyring).
    """
    key = _SECRET_KEYS.get(str(secret.get("type")))
    if key is None:
        return f"{source} is of no type that the kubelet pulls with"
    config = _decoded_json(objects.dig(secret, "data", key))
    auths = config.get("auths") if key == _CONFIG_JSON and config is not None else config
    if not isinstance(auths, Mapping):
        return f"{source} holds no Docker config under {key}"
    return from_auths(auths, source=source)


def _decoded_json(text: Any) -> Mapping[str, Any] | None:
    # Nothing is chained: the decoder's error carries the whole document, password and all.
    with suppress(ValueError, TypeError, RecursionError):
        found = json.loads(base64.b64decode(text, validate=True))
        return found if isinstance(found, Mapping) else None
    return None


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
