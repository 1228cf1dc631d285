"""One workload that is broken again and again, and undone through a proxy that fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.cluster.command import last_word
from tests.cluster.manifests import SHOP, SHORT
from tests.cluster.space import Space, until
from tests.contract.fault_proxy import FaultProxy

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Iterator, Mapping

    from tests.contract.fault_proxy import Hook

OWNER = "team.example/owner"
LONGEST = 60.0
NO_MORE: Mapping[str, str] = {}
AGREED: dict[str, list[str]] = {"undo": ["--yes"], "resume": []}


@dataclass(frozen=True)
class Ended:
    """A run that ended: what it said, and the request at which it was hit (empty: none)."""

    code: int
    out: str
    err: str
    hit: str

    @property
    def last(self) -> str:
        """The last word of its stream."""
        return last_word(self.err if self.code else self.out)

    def __str__(self) -> str:
        return f"--- hit at {self.hit}\n{self.out}--- stderr\n{self.err}--- exit {self.code}"


class Scene:
    """The good revision has a Ready Pod all the time; `broken` makes the bad one current.

    Two older ones lie behind the good one: a second step back would go there. `how` are fields of
    the workload's spec.
    """

    def __init__(self, space: Space, proxy: FaultProxy, **how: Any) -> None:
        self.space = space
        self.proxy = proxy
        self.good, self.bad = space.image("v1"), space.image("there-is-none")
        space.deploy(space.version("v2", env={"RELEASE": "january"}), **how)
        self._replicas = space.get()["spec"].get("replicas")
        space.roll(space.version("v2"), up=True)
        space.roll(space.version("v1"), up=True)
        space.merge({"metadata": {"annotations": {OWNER: "checkout"}}})
        kubeconfig = space.folder / "kubeconfig"
        entry = {"name": "faults"}
        cluster = {**entry, "cluster": {"server": proxy.url}}
        context = {**entry, "context": {"cluster": "faults", "namespace": space.name}}
        content: dict[str, Any] = {"current-context": "faults", "users": []}
        kubeconfig.write_text(json.dumps({**content, "clusters": [cluster], "contexts": [context]}))
        self._environment = {**space.environment, "KUBECONFIG": str(kubeconfig)}
        if "PYTHONPATH" in os.environ:
            self._environment["PYTHONPATH"] = os.environ["PYTHONPATH"]

    def broken(self) -> None:
        """Roll the bad version out, and forget that anybody ever undid it."""
        lease = self.space.lease()
        if lease is not None:
            self.space.api.delete(self.space.name, "Lease", lease["metadata"]["name"])
        self.space.roll(self.space.version("there-is-none"), cause="the bad one")
        # Its status moves until then, and a PATCH that meets that is a 409.
        until("a bad Pod is counted", self._is_counted)
        self.proxy.forget()

    def _is_counted(self) -> bool:
        status = self.space.get()["status"]
        away = status.get("numberUnavailable", 0)
        missing = status.get("replicas", 0) - status.get("readyReplicas", 0)
        return bool(self.space.pods(image=self.bad)) and away + missing > 0

    def resume(self) -> Ended:
        """Run `backout resume`."""
        return self.undo(command="resume")

    def undo(
        self,
        *,
        command: str = "undo",
        number: int = 0,
        sent: signal.Signals | None = None,
        moment: str = "",
        counts: Callable[[str], bool] = lambda _: True,
        hooks: Mapping[str, Hook] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Ended:
        """Run the command; send it a signal before its request, or after that request's answer.

        `number` is counted among the requests whose line `counts`; `hooks` are the proxy's own.
        """
        ready = threading.Event()
        hit: list[str] = []
        seen: list[str] = []
        self.proxy.forget()

        def hook(_: int, line: str) -> None:
            seen.extend([line] if counts(line) else [])
            if counts(line) and len(seen) == number and sent is not None:
                ready.wait(LONGEST)
                hit.append(line)
                process.send_signal(sent)

        if moment == "before":
            self.proxy.before = hook
        else:
            self.proxy.after = hook
        for name, one in (hooks or {}).items():
            setattr(self.proxy, name, one)
        process = self.started(command, environment or {})
        ready.set()
        try:
            out, err = process.communicate(timeout=LONGEST)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        ended = Ended(process.returncode, out, err, "".join(hit))
        assert "Traceback" not in out + err, str(ended)
        assert "internal error" not in out + err, str(ended)
        return ended

    def started(
        self, command: str, environment: Mapping[str, str] = NO_MORE
    ) -> subprocess.Popen[str]:
        """Start the command behind the proxy."""
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "backout",
                command,
                f"{SHORT[self.space.kind]}/{SHOP}",
                *AGREED[command],
            ],
            env={**self._environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @property
    def states(self) -> list[str]:
        return [r["state"] for r in self.space.records()]

    @property
    def holder(self) -> str:
        lease = self.space.lease()
        return str(lease["spec"].get("holderIdentity") or "") if lease else ""

    @property
    def is_undone(self) -> bool:
        return self.space.image_now() == self.good

    def check_repeated(self, why: str) -> None:
        """Give the same command again, as a retry loop does: it moves nothing."""
        again = self.undo()
        assert again.code == 3, f"{why}\nand again:\n{again}"
        assert "already rolled back to revision" in again.last, f"{why}\nand again:\n{again}"
        assert self.is_undone, why
        assert self.holder == "", why

    def check_the_rest(self) -> None:
        """Check what no run may ever touch."""
        found = self.space.get()

        assert self.space.image_now() in {self.good, self.bad}
        assert found["spec"].get("replicas") == self._replicas
        assert found["metadata"]["annotations"][OWNER] == "checkout"

    def expire(self) -> None:
        """Let the lock's last sign of life be older than its duration."""
        lease = self.space.lease()
        assert lease is not None
        past = datetime.now(tz=UTC) - timedelta(hours=1)
        renewed = past.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        name = lease["metadata"]["name"]
        self.space.merge({"spec": {"renewTime": renewed}}, kind="Lease", name=name)

    def settled(self) -> None:
        """Wait until nothing of a run that was killed is still under way at the server."""
        until("the connections are closed", lambda: self.proxy.is_idle, within=10)

    @property
    def workloads(self) -> str:
        """What stands in the path of a request about the workload."""
        return f"/{self.space.kind.lower()}s/"


def is_write(line: str) -> bool:
    """Tell whether a request may change something: reviews are questions."""
    method, _, path = line.partition(" ")
    return method in {"PATCH", "POST", "PUT"} and not path.endswith("reviews")


@contextmanager
def scene(space: Space, *, token: str = "", **how: Any) -> Iterator[Scene]:
    """Give the scene to an administrator, or to whose `token` it is."""
    config = json.loads(space.cluster.kubeconfig.read_text())
    cluster = config["clusters"][0]["cluster"]
    admin = next(u["user"]["token"] for u in config["users"] if u["name"] == "admin")
    ca = space.cluster.state / "certificates" / "ca.crt"
    with FaultProxy(cluster["server"], ca=ca, token=token or admin) as proxy:
        yield Scene(space, proxy, **how)
