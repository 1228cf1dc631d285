"""Argo CD itself, run as processes beside the sandbox: controller, repo server, API server, Redis.

Its program is all of them, by the name that it is given (argo-cd, cmd/main.go and Procfile).
"""

from __future__ import annotations

import os
import signal
import socket
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import yaml

from sandbox.machine.prerequisites import require_program
from tests.cluster import owner_programs
from tests.cluster.command import Running, run
from tests.cluster.definitions import applied
from tests.cluster.go_tools import sources
from tests.cluster.manifests import SHOP, deployment
from tests.cluster.space import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cluster.api import Object
    from tests.cluster.command import Ran
    from tests.cluster.manifests import Version
    from tests.cluster.space import Space

NAMESPACE = "argocd"
HERE = "127.0.0.1"
PART = {"app.kubernetes.io/part-of": "argocd"}
API = "argoproj.io/v1alpha1"
APPLICATIONS = f"/apis/{API}/namespaces/{NAMESPACE}/applications"


class ArgoCd:
    """One Application of the shop, from a git repository of its own, in a namespace of a test.

    Its `name` is its own, too: what a test before has left is of another Application.
    """

    def __init__(self, space: Space, program: Path, server: str) -> None:
        self._space, self._program = space, program
        self.name = f"{SHOP}-{space.name}"
        self._repository = space.folder / "repository"
        self._environment = {
            **space.environment,
            "PATH": f"{program.parent}{os.pathsep}{space.environment['PATH']}",
            "ARGOCD_SERVER": server,
            "ARGOCD_OPTS": "--plaintext",
            "GIT_CONFIG_COUNT": "2",
            "GIT_CONFIG_KEY_0": "user.name",
            "GIT_CONFIG_VALUE_0": "a team",
            "GIT_CONFIG_KEY_1": "user.email",
            "GIT_CONFIG_VALUE_1": "team@shop.example",
        }
        self._git("init", "-q", "-b", "main", str(self._repository), here=False)

    def commit(self, version: Version) -> None:
        """Commit the shop of this version."""
        (self._repository / "shop.yaml").write_text(yaml.safe_dump(deployment(version)))
        self._git("add", "-A")
        self._git("commit", "-q", "-m", f"the shop with {version.image}")

    def revert(self) -> None:
        self._git("revert", "--no-edit", "HEAD")

    def create(self) -> None:
        """Make the Application; nothing is deployed by itself."""
        destination = {"server": "https://kubernetes.default.svc", "namespace": self._space.name}
        source = {"repoURL": f"file://{self._repository}", "path": ".", "targetRevision": "main"}
        spec = {"project": "default", "source": source, "destination": destination}
        body = {"apiVersion": API, "kind": "Application"}
        self._space.api.call(
            "POST", APPLICATIONS, {**body, "metadata": {"name": self.name}, "spec": spec}
        )

    def heals_itself(self) -> None:
        """Let it put back by itself what differs from git."""
        self._set({"automated": {"selfHeal": True}})

    def applies_on_the_server(self) -> None:
        """Let it use server-side apply from now on."""
        self._set({"syncOptions": ["ServerSideApply=true"]})

    def _set(self, policy: Object) -> None:
        body = {"spec": {"syncPolicy": policy}}
        self._space.api.call("PATCH", f"{APPLICATIONS}/{self.name}", body, "merge-patch+json")

    def sync(self) -> None:
        self.pasted(f"argocd app sync {self.name} --timeout 60").expect(0)

    def drift(self) -> list[str]:
        """Return the fields in which the cluster differs from git, as Argo CD tells of them."""
        shown = self.pasted(f"argocd app diff {self.name} --refresh")
        lines = [line for line in shown.out.splitlines() if line.startswith(("<", ">"))]
        assert bool(lines) == bool(shown.code), str(shown)
        return sorted({line.strip("<> -").partition(":")[0] for line in lines})

    def pasted(self, line: str) -> Ran:
        return run(["bash", "-c", line], self._environment)

    def _git(self, *words: str, here: bool = True) -> None:
        where = ["-C", str(self._repository)] if here else []
        run(["git", *where, *words], self._environment).expect(0)


@contextmanager
def argo_cd(space: Space) -> Iterator[ArgoCd]:
    """Run it, with its kinds and its namespace, until left."""
    program = owner_programs.ARGO_CD.built()
    require_program("git", "git")
    with ExitStack() as stack:
        crds = sources(owner_programs.ARGO_CD.module) / "manifests" / "crds"
        kinds = (f"/apis/{API}/{kind}" for kind in ("applications", "appprojects"))
        stack.enter_context(applied(space, crds, *kinds))
        stack.enter_context(_settings(space))
        redis, repositories, server = (f"{HERE}:{_free_port()}" for _ in range(3))
        cache = [require_program("redis-server", "redis-server"), "--save", "", "--bind", HERE]
        stack.enter_context(_process(space, [*cache, "--port", _port(redis)]))

        def part(name: str, *flags: str) -> None:
            argv = [str(program), "--redis", redis, "--metrics-port", str(_free_port()), *flags]
            stack.enter_context(_process(space, argv, name))

        port = ("--address", HERE, "--port")
        part("argocd-repo-server", "--disable-tls", *port, _port(repositories))
        plain = ("--namespace", NAMESPACE, "--repo-server-plaintext", "--repo-server", repositories)
        part("argocd-application-controller", *plain)
        part("argocd-server", *plain, "--insecure", "--disable-auth", *port, _port(server))
        until("all parts listen", lambda: all(map(_listens, (redis, repositories, server))))
        yield ArgoCd(space, program, server)


@contextmanager
def _settings(space: Space) -> Iterator[None]:
    """Make what its installation makes: a namespace, empty settings and the default project."""
    everything = {
        "sourceRepos": ["*"],
        "destinations": [{"server": "*", "namespace": "*"}],
        "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
    }
    made: list[Object] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        *(_setting("ConfigMap", name) for name in ("argocd-cm", "argocd-rbac-cm")),
        _setting("Secret", "argocd-secret"),
        {
            "apiVersion": API,
            "kind": "AppProject",
            "metadata": {"name": "default", "namespace": NAMESPACE},
            "spec": everything,
        },
    ]
    file = space.folder / "argocd.yaml"
    file.write_text(yaml.safe_dump_all(made))
    try:
        space.kubectl("apply", "-n", NAMESPACE, "-f", str(file)).expect(0)
        yield
    finally:
        space.kubectl("delete", "namespace", NAMESPACE, "--timeout=60s").expect(0)


def _setting(kind: str, name: str) -> Object:
    metadata = {"name": name, "namespace": NAMESPACE, "labels": PART}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata}


@contextmanager
def _process(space: Space, argv: list[str], name: str = "") -> Iterator[None]:
    """Run one process; `name` says which part of Argo CD its program is to be."""
    folders = ("TLS_DATA", "SSH_DATA", "GPG_DATA", "GNUPGHOME", "PLUGINSOCKFILE")
    own = {f"ARGOCD_{one}_PATH": str(_folder(space, one)) for one in folders[:3]}
    more = {
        "ARGOCD_BINARY_NAME": name,
        "ARGOCD_FAKE_IN_CLUSTER": "true",
        "ARGOCD_GPG_ENABLED": "false",
        "ARGOCD_GNUPGHOME": str(_folder(space, folders[3])),
        "ARGOCD_PLUGINSOCKFILEPATH": str(_folder(space, folders[4])),
        "ARGOCD_RECONCILIATION_TIMEOUT": "10s",
        "HOSTNAME": f"{name}-0",
    }
    running = Running(argv, {**space.environment, **own, **more}, space.folder)
    try:
        yield
    finally:
        running.send(signal.SIGTERM)
        running.ended()


def _folder(space: Space, name: str) -> Path:
    made = space.folder / name
    made.mkdir(exist_ok=True)
    return made


def _free_port() -> int:
    with socket.create_server((HERE, 0)) as taken:
        return int(taken.getsockname()[1])


def _port(address: str) -> str:
    return address.rpartition(":")[2]


def _listens(address: str) -> bool:
    try:
        with socket.create_connection((HERE, int(_port(address))), timeout=1):
            return True
    except OSError:
        return False
