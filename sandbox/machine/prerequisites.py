"""What the machine must have; what apt can add is added, the rest is one sentence."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.progress import long_step

ALTERNATIVE = "or use any cluster: set KUBECONFIG."
ARCHITECTURES = ("x86_64", "aarch64")
MINIMUM_GO = (1, 24)

# Debian keeps some of these where the PATH of a user's shell does not look.
SEARCH_PATH = (
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/cni:/opt/cni/bin"
)

# One program that shows that the package is there.
PACKAGES = {
    "containerd": "containerd",
    "runc": "runc",
    "containernetworking-plugins": "host-local",
    "docker-registry": "docker-registry",
    "iptables": "iptables",
    "conntrack": "conntrack",
    "iproute2": "ip",
    "openssl": "openssl",
    "prometheus": "prometheus",
}
# Installed along: Go's downloads need it, and no program shows whether it is there.
ALONG = "ca-certificates"


@dataclass(frozen=True)
class Machine:
    """What of a machine decides whether the sandbox can run on it."""

    system: str
    architecture: str
    root: bool
    missing: tuple[str, ...]
    apt: bool


def this_machine() -> Machine:
    """Look at the machine we run on."""
    return Machine(
        system=platform.system(),
        architecture=platform.machine(),
        root=os.geteuid() == 0,
        missing=tuple(name for name, program in PACKAGES.items() if find(program) is None),
        apt=shutil.which("apt-get") is not None,
    )


def find(program: str) -> str | None:
    """Return where a program lies, outside of the user's PATH too."""
    return shutil.which(program, path=SEARCH_PATH)


def objection(machine: Machine) -> str | None:
    """Return the one sentence that says why the sandbox cannot run here; None when it can."""
    if machine.system != "Linux":
        return f"The sandbox needs Linux, this is {machine.system}: run it in a virtual machine"
    if machine.architecture not in ARCHITECTURES:
        return f"The sandbox needs amd64 or arm64, this is {machine.architecture}: use another host"
    if not machine.root:
        return "The sandbox needs root (containers, network): run it with sudo"
    if machine.missing and not machine.apt:
        return f"The sandbox needs {', '.join(machine.missing)}: install them"
    return None


def require() -> None:
    """Make the machine fit for the sandbox, or say what it lacks."""
    machine = this_machine()
    sentence = objection(machine)
    if sentence is not None:
        raise SandboxError(f"{sentence}, {ALTERNATIVE}")
    if machine.missing:
        with long_step(f"installing {len(machine.missing)} packages"):
            _install(machine.missing)


def require_program(program: str, package: str) -> str:
    """Return where a program lies that few need; its package is installed where it is missing."""
    if find(program) is None:
        with long_step(f"installing {package}"):
            _install((package,))
    found = find(program)
    if found is None:
        raise SandboxError(f"{program} is missing: install {package}")
    return found


def require_go() -> None:
    """Refuse a machine without a Go that can build Kubernetes."""
    if shutil.which("go") is None:
        raise SandboxError(
            f"Go is not installed: install Go 1.24 or newer from go.dev, {ALTERNATIVE}"
        )
    text = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True, check=False)
    version = go_version(text.stdout)
    # From 1.21 on, Go fetches the newer toolchain that a module asks for by itself.
    toolchains = version >= (1, 21) and os.environ.get("GOTOOLCHAIN", "auto") != "local"
    if version < MINIMUM_GO and not toolchains:
        found = ".".join(map(str, version))
        raise SandboxError(
            f"Go {found} is too old: install Go 1.24 or newer from go.dev, {ALTERNATIVE}"
        )


def go_version(text: str) -> tuple[int, int]:
    """Read `go1.26.8`; development versions count as new."""
    found = re.match(r"go(\d+)\.(\d+)", text.strip())
    return (int(found[1]), int(found[2])) if found else MINIMUM_GO


def _install(packages: tuple[str, ...]) -> None:
    # RUNLEVEL=1 keeps the packages' services from starting; systemd needs to be told apart.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    install = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages, ALONG]
    for argv in (["apt-get", "update", "-q"], install):
        done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
        if done.returncode and argv is install:
            last = " ".join(done.stderr.splitlines()[-2:])
            raise SandboxError(f"apt-get could not install {' '.join(packages)}: {last}")
    if Path("/run/systemd/system").is_dir():
        known = ("containerd", "docker-registry", "prometheus", "redis-server")
        services = [name for name in known if name in packages]
        for service in services:
            subprocess.run(["systemctl", "disable", "--now", service], check=False)
