"""Programs of other projects, built from their Go modules, to work beside or to compare with."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from sandbox.prerequisites import require_go

BUILD = Path(__file__).parents[2] / "build" / "tools"


def installed(module: str) -> Path:
    """Return the program of a Go module, such as `example.com/cmd/tool@v1.2.3`; built once."""
    name = module.rpartition("/")[2]
    folder = BUILD / name
    program = folder / name.partition("@")[0]
    if not program.exists():
        require_go()
        folder.mkdir(parents=True, exist_ok=True)
        environment = {**os.environ, "GOBIN": str(folder), "CGO_ENABLED": "0"}
        subprocess.run(["go", "install", module], check=True, env=environment)
    return program
