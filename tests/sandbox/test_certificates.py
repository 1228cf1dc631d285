from __future__ import annotations

import stat
import subprocess
from typing import TYPE_CHECKING

from sandbox import certificates
from sandbox.machine import addresses

if TYPE_CHECKING:
    from pathlib import Path


def test_the_authority_vouches_for_the_certificate_in_both_directions(tmp_path: Path) -> None:
    made = certificates.make(tmp_path / "certificates")

    for purpose in ("sslserver", "sslclient"):
        argv = ["openssl", "verify", "-purpose", purpose, "-CAfile", str(made.authority)]
        done = subprocess.run([*argv, str(made.certificate)], capture_output=True, check=False)
        assert done.returncode == 0, done.stderr


def test_the_certificate_names_every_address_it_serves() -> None:
    text = certificates.extensions()

    for address in (addresses.LOOPBACK, addresses.NODE, addresses.API_SERVICE):
        assert f"IP:{address}" in text


def test_the_keys_are_for_root_only(tmp_path: Path) -> None:
    made = certificates.make(tmp_path / "certificates")

    assert stat.S_IMODE(made.folder.stat().st_mode) == 0o700
