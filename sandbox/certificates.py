"""One certificate authority, one certificate for all components, one key for tokens.

The certificate serves and identifies: etcd and the kubelet answer only to who holds it, for
another user of this machine must not become its root through them.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.errors import SandboxError
from sandbox.folders import write_private
from sandbox.machine import addresses

if TYPE_CHECKING:
    from pathlib import Path

DAYS = "365"
# Who the sandbox itself is when it asks the API server how the cluster is.
USER = "backout-sandbox"
NAMES = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")
ADDRESSES = (addresses.LOOPBACK, addresses.NODE, addresses.API_SERVICE)


@dataclass(frozen=True)
class Certificates:
    """Where the keys and certificates lie."""

    folder: Path

    @property
    def authority(self) -> Path:
        """Return the certificate that vouches for the others."""
        return self.folder / "ca.crt"

    @property
    def certificate(self) -> Path:
        """Return the components' certificate."""
        return self.folder / "component.crt"

    @property
    def key(self) -> Path:
        """Return the components' key."""
        return self.folder / "component.key"

    @property
    def token_key(self) -> Path:
        """Return the key that signs service accounts' tokens."""
        return self.folder / "tokens.key"

    @property
    def token_public_key(self) -> Path:
        """Return the key that verifies them."""
        return self.folder / "tokens.pub"


def extensions() -> str:
    """Return what the components' certificate may be used for, and under which names."""
    names = [f"DNS:{name}" for name in NAMES] + [f"IP:{address}" for address in ADDRESSES]
    return (
        "basicConstraints=critical,CA:FALSE\n"
        "keyUsage=critical,digitalSignature\n"
        "extendedKeyUsage=serverAuth,clientAuth\n"
        f"subjectAltName={','.join(names)}\n"
    )


def make(folder: Path) -> Certificates:
    """Make them all."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    made = Certificates(folder)
    _make_authority(made)
    _make_component_certificate(made)
    _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(made.token_key))
    _openssl("ec", "-in", str(made.token_key), "-pubout", "-out", str(made.token_public_key))
    return made


def _make_authority(made: Certificates) -> None:
    key = str(made.folder / "ca.key")
    subject = ["-subj", "/CN=backout-sandbox", "-days", DAYS]
    _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
    _openssl("req", "-x509", "-new", "-key", key, *subject, "-out", str(made.authority))


def _make_component_certificate(made: Certificates) -> None:
    request, usage = str(made.folder / "component.csr"), made.folder / "component.ext"
    write_private(usage, extensions())
    _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(made.key))
    subject = f"/O=system:masters/CN={USER}"
    _openssl("req", "-new", "-key", str(made.key), "-subj", subject, "-out", request)
    authority = ["-CA", str(made.authority), "-CAkey", str(made.folder / "ca.key")]
    validity = ["-CAcreateserial", "-days", DAYS, "-extfile", str(usage)]
    out = ["-out", str(made.certificate)]
    _openssl("x509", "-req", "-in", request, *authority, *validity, *out)


def _openssl(*arguments: str) -> None:
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SandboxError(f"openssl {arguments[0]} failed: {done.stderr.strip()}")
