from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sandbox.machine import kernel

if TYPE_CHECKING:
    from pathlib import Path


def settings(folder: Path) -> Path:
    for name in kernel.CHANGED[1:]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("0\n")
    return folder


def test_changed_settings_are_put_back(tmp_path: Path) -> None:
    folder, record = settings(tmp_path / "sys"), tmp_path / "kernel.json"
    kernel.remember(record, folder)
    (folder / "net/ipv4/ip_forward").write_text("1\n")

    kernel.restore(record, folder)

    assert (folder / "net/ipv4/ip_forward").read_text() == "0\n"


def test_settings_of_an_earlier_boot_are_not_put_back(tmp_path: Path) -> None:
    folder, record = settings(tmp_path / "sys"), tmp_path / "kernel.json"
    kernel.remember(record, folder)
    record.write_text(json.dumps(json.loads(record.read_text()) | {"boot_id": "earlier"}))
    (folder / "net/ipv4/ip_forward").write_text("1\n")

    kernel.restore(record, folder)

    assert (folder / "net/ipv4/ip_forward").read_text() == "1\n"


def test_without_a_record_nothing_is_put_back(tmp_path: Path) -> None:
    kernel.restore(tmp_path / "kernel.json", tmp_path)
