"""One generated set: kubeconfig files, flags, environment; written to disk for one worker."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from tests.contract.kubectl import pki
from tests.contract.kubectl.writing import text_of

if TYPE_CHECKING:
    import random
    from pathlib import Path

    from tests.contract.kubectl.recorder import Recorder

NAMES = ("a", "prod", "ünï", "a b", "1", "true", "x/y:z@w", "~")


@dataclass
class File:
    """One kubeconfig file: entries by kind, `raw` text instead of them, or None if missing."""

    path: str
    entries: dict[str, list[Any]] = field(
        default_factory=lambda: {"clusters": [], "users": [], "contexts": []}
    )
    more: dict[str, Any] = field(default_factory=dict)
    raw: str | None = None
    is_missing: bool = False
    style: str = "json"

    def text(self) -> str:
        if self.raw is not None:
            return self.raw
        return text_of(
            {"apiVersion": "v1", "kind": "Config", **self.entries, **self.more}, self.style
        )


@dataclass
class Set:
    """What a feature may change. The three main entries are placed by `generate`."""

    number: int
    rng: random.Random
    features: set[str] = field(default_factory=set)
    cluster: dict[str, Any] = field(default_factory=dict)
    user: dict[str, Any] = field(default_factory=dict)
    context: dict[str, Any] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    current: str | None = None
    """The current-context; None sets none."""
    files: list[File] = field(default_factory=list)
    flags: dict[str, Any] = field(default_factory=dict)
    environ: dict[str, str] = field(default_factory=dict)
    omit: set[str] = field(default_factory=set)
    """Kinds whose main entry is left out."""
    listed: list[str] = field(default_factory=list)
    explicit: str = ""
    programs: dict[str, str] = field(default_factory=dict)
    """Sources by name, put into every folder and its `bin`."""
    edits: list[Any] = field(default_factory=list)
    """Functions of this set that change the files once everything is placed."""

    def materialise(self, folder: Path, recorder: Recorder, keep: Path) -> Written:
        """Write the files into `folder`, with the recorder's ports in them."""
        folder.mkdir(parents=True)
        (folder / "home" / ".kube").mkdir(parents=True)
        swaps = {
            "@TLS@": str(recorder.tls),
            "@PLAIN@": str(recorder.plain),
            "@PROXY@": str(recorder.proxy),
            "@TLSPROXY@": str(recorder.tls_proxy),
            "@FOLDER@": str(folder),
        }

        def real(text: str) -> str:
            for mark, value in swaps.items():
                text = text.replace(mark, value)
            return text

        for index, place in enumerate(sorted({str(PurePath(f.path).parent) for f in self.files})):
            pki.lay_out(folder / place, keep=keep, identity=("one", "two")[index % 2])
            _install(self.programs, folder / place)
        _install(self.programs, folder)
        for file in self.files:
            if not file.is_missing:
                (folder / file.path).write_text(real(file.text()))
        environ = {
            "HOME": str(folder / "home"),
            "PATH": os.environ.get("PATH", os.defpath),
            **{name: real(value) for name, value in self.environ.items()},
        }
        if self.listed:
            environ["KUBECONFIG"] = os.pathsep.join(real(one) for one in self.listed)
        flags = {name: real(v) if isinstance(v, str) else v for name, v in self.flags.items()}
        if self.explicit:
            flags["kubeconfig"] = real(self.explicit)
        return Written(folder=folder, environ=environ, flags=flags)


def _install(programs: dict[str, str], folder: Path) -> None:
    for place in (folder, folder / "bin"):
        for name, source in programs.items():
            place.mkdir(exist_ok=True)
            (place / name).write_text(source)
            (place / name).chmod(0o755)


@dataclass(frozen=True, kw_only=True)
class Written:
    """A set on disk: run kubectl in `folder` with these."""

    folder: Path
    environ: dict[str, str]
    flags: dict[str, Any]

    def arguments(self) -> list[str]:
        """Return the flags as a command line has them."""
        return [
            f"--{name}={str(one).lower() if isinstance(one, bool) else one}"
            for name, value in self.flags.items()
            for one in (value if isinstance(value, tuple) else (value,))
        ]
