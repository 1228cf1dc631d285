"""What a credential plugin prints -> an identity. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import yaml

from backout.core.discreet import Discreet, Hidden
from backout.core.kubernetes.objects import dig, timestamp
from backout.core.text import untrusted
from backout.kube.config import go_yaml
from backout.kube.connection import KeyPair

if TYPE_CHECKING:
    from datetime import datetime


class Login(Discreet, frozen=True, kw_only=True, eq=False):
    """Who we are for now: a bearer token (may be empty), a client certificate (or None).

    `expires` is when it stops to be good, in aware UTC, None where nobody said. Two of them are the
    same only if they are the same object: it is the run of the plugin that counts.
    """

    token: Hidden[str] = ""
    key_pair: KeyPair | None = None
    expires: datetime | None = None


def identity_from(printed: bytes, *, api_version: str) -> Login:
    """Return the identity in an ExecCredential; raise ValueError with the rest of a sentence.

    No part of what was printed stands in the error: it may be the credential.
    """
    credential = _decoded(printed)
    if dig(credential, "kind") != "ExecCredential":
        raise ValueError("did not print an ExecCredential")
    if dig(credential, "apiVersion") != api_version:
        shown = untrusted(str(dig(credential, "apiVersion")), 80)
        raise ValueError(f"printed apiVersion {shown}, the kubeconfig asks for {api_version}")
    status = dig(credential, "status")
    token = _text(status, "token")
    key_pair = _key_pair(status)
    if not token and key_pair is None:
        raise ValueError("printed neither a token nor a client certificate")
    return Login(token=token, key_pair=key_pair, expires=_expiry(status))


def _decoded(printed: bytes) -> object:
    """Return what was printed: JSON, or the YAML that kubectl takes too."""
    try:
        found: object = json.loads(printed)
    except (ValueError, RecursionError):
        found = _from_yaml(printed)
    if not isinstance(found, dict):
        raise ValueError("did not print JSON")  # noqa: TRY004 (one kind for all)
    return found


def _from_yaml(printed: bytes) -> object:
    try:
        return go_yaml.parse(printed)
    except (yaml.YAMLError, ValueError, RecursionError):
        raise ValueError("did not print JSON") from None


def _key_pair(status: object) -> KeyPair | None:
    certificate, key = _text(status, "clientCertificateData"), _text(status, "clientKeyData")
    if bool(certificate) != bool(key):
        raise ValueError("printed a client certificate without its key, or the other way round")
    if not certificate:
        return None
    return KeyPair(certificate=certificate.encode(), key=key.encode())


def _expiry(status: object) -> datetime | None:
    written = _text(status, "expirationTimestamp")
    expires = timestamp(written)
    if written and expires is None:
        raise ValueError("printed an expirationTimestamp that is no time")
    return expires


def _text(status: object, name: str) -> str:
    found = dig(status, name, default="")
    if not isinstance(found, str):
        raise ValueError(f"printed a {name} that is not text")  # noqa: TRY004 (one kind for all)
    return found
