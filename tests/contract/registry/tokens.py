"""A token service as docker-registry's `auth: token` trusts it: RS256, the certificate in `x5c`."""

from __future__ import annotations

import base64
import json
import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from tests.contract.scripted_server import Answer, Received, Step

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SERVICE = "registry.test"
ISSUER = "tokens.test"


class TokenService:
    """Grants `pull` (and `push`, where asked) to whoever may have it.

    `members` are the values of Authorization headers; an anonymous caller gets a token too, for
    the repositories of `public` alone, and an empty one otherwise, as Docker Hub does.
    """

    def __init__(self, *, members: frozenset[str], public: frozenset[str]) -> None:
        self._members = members
        self._public = public
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._certificate = _self_signed(self._key)

    def write_bundle(self, path: Path) -> None:
        """Write what `rootcertbundle` wants."""
        path.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def answer(self, request: Received) -> Step:
        """Answer a request for a token."""
        caller = request.headers.get("authorization")
        if caller is not None and caller not in self._members:
            return Answer(status=401, json={"details": "incorrect username or password"})
        kind, name, actions = request.query["scope"].split(":")
        granted = actions.split(",") if caller or name in self._public else []
        return Answer(json={"token": self.signed(kind, name, granted), "expires_in": 60})

    def signed(self, kind: str, name: str, actions: list[str]) -> str:
        """Return a JWT for these actions on one repository."""
        now = datetime.now(UTC)
        chain = base64.b64encode(self._certificate.public_bytes(serialization.Encoding.DER))
        header = {"typ": "JWT", "alg": "RS256", "x5c": [chain.decode()]}
        claims = {
            "iss": ISSUER,
            "sub": "",
            "aud": SERVICE,
            "exp": int((now + timedelta(minutes=5)).timestamp()),
            "nbf": int((now - timedelta(minutes=5)).timestamp()),
            "iat": int(now.timestamp()),
            "jti": secrets.token_hex(8),
            "access": [{"type": kind, "name": name, "actions": actions}] if actions else [],
        }
        signed = f"{_part(header)}.{_part(claims)}"
        signature = self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_text(signature)}"


def _self_signed(key: rsa.RSAPrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, ISSUER)])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )


def _part(value: Mapping[str, object]) -> str:
    return _text(json.dumps(value).encode())


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
