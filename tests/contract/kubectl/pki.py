"""The certificates and other files that generated kubeconfigs name, made once."""

from __future__ import annotations

import base64
import os
import ssl
from functools import cache
from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from pathlib import Path

SERVER_NAMES = ("127.0.0.1", "localhost", "kube.invalid", "kubernetes")


@cache
def authority() -> trustme.CA:
    """Return the CA of the server and of the clients."""
    return trustme.CA()


@cache
def server_certificate() -> trustme.LeafCert:
    return authority().issue_cert(*SERVER_NAMES)


def server_context() -> ssl.SSLContext:
    """Return a context that asks for a client certificate and can do without."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_certificate().configure_cert(context)
    authority().configure_trust(context)
    context.verify_mode = ssl.CERT_OPTIONAL
    return context


@cache
def files() -> dict[str, bytes]:
    """Return the contents by name."""
    found = {
        "ca.pem": authority().cert_pem.bytes(),
        "other-ca.pem": trustme.CA().cert_pem.bytes(),
        "bundle.pem": b"# Z\xc3\xbcrich\n"
        + trustme.CA().cert_pem.bytes()
        + b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
        + authority().cert_pem.bytes(),
        "no-ca.pem": b"not a certificate",
        "blank": b"",
    }
    for name in ("one", "two", "three"):
        leaf = authority().issue_cert("client.example", common_name=name)
        found[f"{name}.pem"] = b"".join(blob.bytes() for blob in leaf.cert_chain_pems)
        found[f"{name}.key"] = leaf.private_key_pem.bytes()
    return found


def inline(name: str) -> str:
    return base64.b64encode(files()[name]).decode()


@cache
def _kept(folder: Path) -> Path:
    kept = folder / "kept"
    kept.mkdir(exist_ok=True)
    for name, content in files().items():
        (kept / name).write_bytes(content)
    return kept


def lay_out(folder: Path, *, keep: Path, identity: str) -> None:
    """Put the files into a kubeconfig's folder; whose they are differs from folder to folder."""
    kept = _kept(keep)
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("ca.pem", "other-ca.pem", "bundle.pem", "no-ca.pem", "blank"):
        os.link(kept / name, folder / name)
    for end in ("pem", "key"):
        os.link(kept / f"{identity}.{end}", folder / f"client.{end}")
        os.link(kept / f"three.{end}", folder / f"other.{end}")
    (folder / "token").write_text(f"token-file-{identity}\n")
