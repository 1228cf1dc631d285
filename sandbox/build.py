"""The two Go programs, built once for the text of their sources and kept in the cache folder."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox import versions
from sandbox.errors import SandboxError
from sandbox.folders import SOURCES, cache_folder
from sandbox.machine.lock import locked
from sandbox.machine.prerequisites import require_go
from sandbox.progress import long_step

if TYPE_CHECKING:
    from pathlib import Path

KEPT_BUILDS = 3
REPORTED_LINES = 3


@dataclass(frozen=True)
class Binaries:
    """Where the built programs lie."""

    kubernetes: Path
    app: Path


@dataclass(frozen=True)
class Module:
    """A folder of Go sources, and the module file that pins what they need."""

    folder: Path
    file: Path

    @property
    def hash(self) -> str:
        """Return one hash over all that decides what it builds to."""
        digest = hashlib.sha256()
        sums = self.file.with_name("go.sum")
        for file in (*sorted(self.folder.glob("*.go")), self.file, sums):
            content = file.read_bytes() if file.exists() else b""
            digest.update(f"{file.name} {len(content)}\n".encode() + content)
        return digest.hexdigest()[:16]


def modules() -> tuple[Module, Module]:
    """Return Kubernetes in the version that is asked for, and the sample application."""
    kubernetes, app = SOURCES / "kubernetes", SOURCES / "app"
    return Module(kubernetes, versions.module_file()), Module(app, app / "go.mod")


def binaries() -> Binaries:
    """Return both programs, building those whose sources changed."""
    kubernetes, app = modules()
    return Binaries(
        _binary(kubernetes, "building Kubernetes (the first time 5 to 7 minutes)"),
        _binary(app, "building the sample application"),
    )


def _binary(module: Module, title: str) -> Path:
    name = module.folder.name
    binary = cache_folder() / f"{name}-{module.hash}"
    if binary.exists():
        return binary
    require_go()
    # The compiler inherits the lock: should this program be killed, the next one waits for the
    # orphaned compiler instead of competing with it.
    with locked(cache_folder(), "build of the sandbox") as lock:
        if not binary.exists():
            with long_step(title):
                _build(module, binary, lock)
            _forget_old(name)
    return binary


def _build(module: Module, binary: Path, lock: int) -> None:
    draft = binary.with_name(f"{binary.name}.draft")
    log = cache_folder() / f"{module.folder.name}-build.log"
    argv = ["go", "build", f"-modfile={module.file}", "-trimpath", "-buildvcs=false"]
    argv += [
        "-ldflags",
        " ".join(["-s", "-w", *_version_flags(module.file.read_text())]),
        "-o",
        str(draft),
        ".",
    ]
    environment = {**os.environ, "CGO_ENABLED": "0"}
    with log.open("wb") as output:
        child = subprocess.Popen(
            argv,
            cwd=module.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=(lock,),
        )
        try:
            code = child.wait()
        except BaseException:
            child.terminate()
            child.wait()
            raise
    if code:
        last = " ".join(log.read_text(errors="replace").splitlines()[-REPORTED_LINES:])
        raise SandboxError(f"go build of {module.folder} failed (see {log}): {last}")
    draft.replace(binary)


def _version_flags(module_file: str) -> list[str]:
    """Stamp the version as the upstream build does; a kubectl without one misbehaves."""
    found = re.search(r"^\tk8s\.io/kubernetes (v(\d+)\.(\d+)\.\d+)$", module_file, re.MULTILINE)
    if found is None:
        return []
    version, major, minor = found.groups()
    values = {
        "gitVersion": version,
        "gitMajor": major,
        "gitMinor": minor,
        "gitTreeState": "clean",
        "buildDate": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return [f"-X {package}.{key}={value}" for package in packages for key, value in values.items()]


def _forget_old(name: str) -> None:
    builds = sorted(
        (path for path in cache_folder().glob(f"{name}-*") if path.suffix != ".log"),
        key=lambda path: path.stat().st_mtime,
    )
    for path in builds[:-KEPT_BUILDS]:
        path.unlink()
