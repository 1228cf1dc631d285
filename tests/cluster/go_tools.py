"""Programs of other projects, built from their Go modules, to work beside or to compare with."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from sandbox.machine.prerequisites import require_go

BUILD = Path(__file__).parents[2] / "build" / "tools"


def installed(module: str) -> Path:
    """Return the program of a Go module, such as `example.com/cmd/tool@v1.2.3`; built once."""
    name = module.rpartition("/")[2]
    folder = BUILD / name
    program = folder / name.partition("@")[0]
    if not program.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _go("install", module, GOBIN=str(folder))
    return program


def built(module: str, package: str, *, name: str = "", tags: str = "", missing: str = "") -> Path:
    """Return the program of a folder of a Go module, by its `name`; built once, in a copy.

    For what `go install` refuses: a module that replaces others. `missing` is a file that is made
    for its releases, that only an embed directive asks for, and that is left empty here.
    """
    name = name or Path(package).name
    program = BUILD / f"{name}@{module.rpartition('@')[2]}" / name
    if not program.exists():
        with tempfile.TemporaryDirectory() as copy:
            shutil.copytree(
                sources(module), copy, dirs_exist_ok=True, copy_function=shutil.copyfile
            )
            if missing:
                (Path(copy) / missing).parent.mkdir(exist_ok=True)
                (Path(copy) / missing).touch()
            # The folder of vendored modules is no part of what Go's proxy gives out.
            how = ["-C", copy, "-mod=mod", "-tags", tags, "-ldflags=-s -w", "-o", str(program)]
            _go("build", *how, f"./{package}")
    return program


def sources(module: str) -> Path:
    """Return where the sources of a Go module are; they are not to be written to."""
    found: dict[str, Any] = json.loads(_go("mod", "download", "-json", module))
    return Path(found["Dir"])


def _go(*words: str, **more: str) -> bytes:
    require_go()
    environment = {**os.environ, "CGO_ENABLED": "0", **more}
    return subprocess.run(
        ["go", *words], check=True, env=environment, stdout=subprocess.PIPE
    ).stdout
