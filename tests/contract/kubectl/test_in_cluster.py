"""A Pod's service account, at the place where it is in every Pod: in a mount namespace of its own.

kubectl has no flag for the folder; `unshare` gives each run a /var/run of its own, so nothing of
the machine's is touched.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.contract.kubectl import pki
from tests.contract.kubectl.asked import KUBECTL, WITHIN
from tests.contract.kubectl.recorder import Arrival, Recorder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

INSIDE = """
set -e
mount -t tmpfs none /run
mkdir -p /run/secrets/kubernetes.io
cp -r "$ACCOUNT" /run/secrets/kubernetes.io/serviceaccount
exec "$@"
"""
BACKOUT = """
import asyncio, json, os
from pathlib import Path
from backout.kube.config import kubeconfig
from tests.contract.kubectl import asked
from backout.kube.config.flags import Flags
flags = Flags(**json.loads(os.environ["FLAGS"]))
connection = kubeconfig.load(
    path=None, context=None, flags=flags, environ=os.environ, home=Path("/none")
)
asyncio.run(asked._post(connection))
"""
AS_ROOT = os.geteuid() == 0
USER_NAMESPACE = ("unshare", *(() if AS_ROOT else ("--user", "--map-root-user")), "--mount")


@pytest.fixture(autouse=True, scope="module")
def mount_namespace() -> None:
    """Fail with what is missing: a Pod's folders can only be shown in a mount namespace."""
    command = [*USER_NAMESPACE, "mount", "-t", "tmpfs", "none", "/run"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"mount namespaces are needed (run as root): {done.stderr}"


@pytest.fixture
def account(tmp_path: Path) -> Path:
    folder = tmp_path / "serviceaccount"
    folder.mkdir()
    (folder / "token").write_text("of-the-pod\n")
    (folder / "namespace").write_text("shop\n")
    (folder / "ca.crt").write_bytes(pki.files()["ca.pem"])
    return folder


def arrivals(
    account: Path,
    *,
    kubeconfig: object = None,
    more: Sequence[str] = (),
    flags: Mapping[str, str] | None = None,
    **environ: str,
) -> list[list[Arrival]]:
    """Return what arrives from kubectl, and what from backout, each in a Pod."""
    given = flags or {}
    environ["FLAGS"] = json.dumps({name.replace("-", "_"): v for name, v in given.items()})
    if kubeconfig is not None:
        (account.parent / "config").write_text(json.dumps(kubeconfig))
        environ["KUBECONFIG"] = str(account.parent / "config")
    commands = [
        [str(KUBECTL), "create", "token", "x", *more, *(f"--{n}={v}" for n, v in given.items())],
        [sys.executable, "-c", BACKOUT],
    ]
    with Recorder(pki.server_context) as recorder:
        pod = {
            "KUBERNETES_SERVICE_HOST": "127.0.0.1",
            "KUBERNETES_SERVICE_PORT": str(recorder.tls),
            "ACCOUNT": str(account),
            "HOME": "/none",
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "PYTHONPATH": ":".join(sys.path),
            **environ,
        }
        found = []
        for command in commands:
            subprocess.run(
                [*USER_NAMESPACE, "sh", "-c", INSIDE, "sh", *command],
                env=pod,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=WITHIN,
                check=False,
            )
            found.append(recorder.take())
    return found


def test_without_a_kubeconfig_both_use_the_pods_account(account: Path) -> None:
    theirs, ours = arrivals(account)

    assert theirs == ours
    assert ours[0].path == "/api/v1/namespaces/shop/serviceaccounts/x/token"
    assert dict(ours[0].headers)["authorization"] == "Bearer of-the-pod"


def test_both_take_the_namespace_from_the_variable(account: Path) -> None:
    theirs, ours = arrivals(account, POD_NAMESPACE="mine")

    assert theirs == ours
    assert "/namespaces/mine/" in ours[0].path


@pytest.mark.parametrize(
    "kubeconfig",
    [
        {},
        {"users": [{"name": "u", "user": {"token": "t"}}]},
        {
            "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u", "namespace": "x"}}],
            "clusters": [{"name": "c", "cluster": {"server": "http://localhost:8080"}}],
            "users": [{"name": "u", "user": {"token": "t"}}],
        },
    ],
)
def test_a_kubeconfig_that_says_nothing_leaves_it_to_the_pod(
    account: Path, kubeconfig: object
) -> None:
    theirs, ours = arrivals(account, kubeconfig=kubeconfig)

    assert theirs == ours
    assert dict(ours[0].headers)["authorization"] == "Bearer of-the-pod"


@pytest.mark.parametrize("lost", ["namespace", "ca.crt", "token"])
def test_both_can_do_without_the_same_files(account: Path, lost: str) -> None:
    (account / lost).unlink()
    theirs, ours = arrivals(account)

    assert theirs == ours
    assert len(ours) == (1 if lost == "namespace" else 0)


def test_with_a_request_timeout_kubectl_forgets_its_pod(account: Path) -> None:
    theirs, ours = arrivals(account, more=["--request-timeout=10s"])

    assert (len(theirs), len(ours)) == (0, 1)


def test_both_take_a_token_and_a_ca_from_the_command_line_in_a_pod(account: Path) -> None:
    (account / "ca.crt").write_bytes(pki.files()["other-ca.pem"])
    (account.parent / "ca.pem").write_bytes(pki.files()["ca.pem"])
    ca = {"certificate-authority": str(account.parent / "ca.pem")}
    theirs, ours = arrivals(account, flags={"token": "of-the-flag", **ca})

    assert theirs == ours
    assert dict(ours[0].headers)["authorization"] == "Bearer of-the-flag"
    assert arrivals(account) == [[], []]
