"""Programs of other projects, built from their Go modules, to work beside or to compare with."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.folders import cache_folder
from sandbox.machine.prerequisites import require_go


@dataclass(frozen=True, kw_only=True)
class Program:
    """A program of a folder of a Go module such as `example.com/tool@v1.2.3`, built once a user.

    `name` is the program's, where the folder is called otherwise. Where the module replaces others,
    which `go install` refuses, it is built in a copy (`is_copied`). `missing` is a file that is
    made for its releases, that only an embed directive asks for, and that is left empty here.
    `beside` is a module of the same repository, which its own module file replaces by a folder.
    """

    module: str
    package: str
    name: str = ""
    tags: str = ""
    missing: str = ""
    beside: str = ""
    is_copied: bool = True

    @property
    def path(self) -> Path:
        """Where it is once it is built."""
        name = self.name or Path(self.package).name
        return cache_folder() / "tools" / f"{name}@{self._version}" / name

    @property
    def _version(self) -> str:
        return self.module.rpartition("@")[2]

    def built(self) -> Path:
        """Return where it is, and build it first where it is not there yet."""
        if not self.path.exists():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._build_copy() if self.is_copied else self._install()
        return self.path

    def _install(self) -> None:
        module = self.module.removesuffix(f"@{self._version}")
        package = f"{module}/{self.package}@{self._version}"
        _go("install", package, GOBIN=str(self.path.parent))

    def _build_copy(self) -> None:
        with tempfile.TemporaryDirectory() as copy:
            shutil.copytree(
                sources(self.module), copy, dirs_exist_ok=True, copy_function=shutil.copyfile
            )
            if self.missing:
                (Path(copy) / self.missing).parent.mkdir(exist_ok=True)
                (Path(copy) / self.missing).touch()
            if self.beside:
                _go("-C", copy, "mod", "edit", f"-dropreplace={self.beside}")
            # The folder of vendored modules is no part of what Go's proxy gives out.
            how = ["-C", copy, "-mod=mod", "-tags", self.tags, "-ldflags=-s -w"]
            _go("build", *how, "-o", str(self.path), f"./{self.package}")


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
