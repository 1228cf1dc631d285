"""A shop with one Deployment `web`, its controller, and a run of backout against it.

Revision 1 (`app:good`) has a Ready Pod, revision 2 (`app:bad`) is current and stuck.
"""

from __future__ import annotations

import asyncio
import copy
import json
import os
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from backout.core.errors import BackoutError
from backout.core.images.keyring import Keyring
from backout.core.kinds.deployment import DEPLOYMENT
from backout.core.kinds.target import Target
from backout.core.ledger.records import lease_name
from backout.core.outcome import Outcome, Result
from backout.core.preflight.request import Request
from backout.http.client import HttpClient
from backout.kube.client import Client
from backout.kube.connection import Connection
from backout.registry.client import RegistryClient
from backout.steps.identity import operation_id, started
from backout.steps.ledger.cluster_ledger import ClusterLedger
from backout.steps.run import Identity, Limits, Run, Session
from backout.steps.undo import undo
from tests.contract.api_server import NAMESPACE, ApiServer
from tests.objects import templates
from tests.objects.deployments import manifest
from tests.objects.metadata import Object, owned_by
from tests.objects.pods import pod, terminated, waiting
from tests.objects.replica_sets import replica_set
from tests.objects.services import service
from tests.objects.templates import READY
from tests.objects.workloads import REVISION

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from backout.core.events.event import Event
    from backout.core.plan.plan import Plan

TARGET = Target(kind=DEPLOYMENT, namespace=NAMESPACE, name="web")
LEASE = lease_name(TARGET)
LEDGER = "backout.dev/ledger"
MARKER = "backout.dev/operation"
CAUSE = "kubernetes.io/change-cause"
GOOD, BAD = "127.0.0.1:1/app:good", "127.0.0.1:1/app:bad"
QUICK = Limits(
    observe=1.0,
    health=2.0,
    health_interval=0.02,
    unclear=3.0,
    unclear_least=0.3,
    wind_down=2.0,
    pod_answer=1.0,
    soak=0.1,
    health_soak=0.0,
)
ALIVE = Identity(
    actor="ann",
    host="here",
    boot_id="boot",
    pid=os.getpid(),
    namespace="ns",
    started=started(os.getpid()),
)
"""The process of every run: it lives for as long as the tests do."""
TRACE = "0af7651916cd43dd8448eb211c80319c"


def template(image: str, **spec: Any) -> Object:
    """Return the Pod template of the shop, whose readiness probe is what health asks."""
    return templates.template(image, spec=spec, readinessProbe=READY)


def deployment(pod_template: Object, **spec: Any) -> Object:
    given = {
        "replicas": 1,
        "revisionHistoryLimit": 10,
        "progressDeadlineSeconds": 600,
        "strategy": {"type": "RollingUpdate"},
        **spec,
    }
    return manifest(
        pod_template, metadata={"annotations": {"team.example/owner": "checkout"}}, **given
    )


def shop(api: ApiServer, *, good: Object | None = None, **spec: Any) -> ApiServer:
    """Fill an API server: a good rollout, then a bad one that hangs."""
    api.controller = control
    api.add("services", service(port=8080))
    api.add("serviceaccounts", {"metadata": {"name": "default"}})
    api.add("deployments", deployment(good or template(GOOD), **spec))
    deploy(api, BAD, cause="the bad one")
    return api


def deploy(api: ApiServer, image: str, *, cause: str = "") -> None:
    """Do what `kubectl set image` and `annotate` would."""

    def change(web: Object) -> None:
        web["spec"]["template"]["spec"]["containers"][0]["image"] = image
        if cause:
            web["metadata"]["annotations"][CAUSE] = cause

    api.edit("deployments", "web", change)


def control(api: ApiServer, obj: Object) -> None:
    """Do what the Deployment controller and the kubelet do, at once; images named bad hang."""
    if obj["kind"] != "Deployment":
        return
    web = copy.deepcopy(obj)
    if web.get("status", {}).get("observedGeneration") == web["metadata"]["generation"]:
        return
    if not web["spec"].get("paused"):
        _roll_out(api, web)
    web["status"] = {**web.get("status", {}), "observedGeneration": web["metadata"]["generation"]}
    api.edit(
        "deployments", "web", lambda now: now.update(status=web["status"], metadata=web["metadata"])
    )


def _roll_out(api: ApiServer, web: Object) -> None:
    wanted, notes = web["spec"]["template"], web["metadata"]["annotations"]
    sets = [r for r in api.all("replicasets") if _is_owned(r, web)]
    top = max([int(r["metadata"]["annotations"][REVISION]) for r in sets], default=0)
    found = next((r for r in sets if _bare(r["spec"]["template"]) == wanted), None)
    if found is None or int(found["metadata"]["annotations"][REVISION]) < top:
        top += 1
    notes[REVISION] = str(top)
    if found is None:
        found = api.add("replicasets", _replica_set(web, top))
    api.edit(
        "replicasets",
        found["metadata"]["name"],
        lambda r: r["metadata"]["annotations"].update(notes),
    )
    replicas = web["spec"]["replicas"]
    is_bad = "bad" in wanted["spec"]["containers"][0]["image"]
    name = found["metadata"]["name"]
    for index in range(replicas):
        if api.find("pods", f"{name}-{index}") is None:
            api.add("pods", _pod(found, index, ready=not is_bad))
    labelled = [p for p in api.all("pods") if p["metadata"]["labels"].get("app") == "web"]
    others = [p for p in labelled if not _is_owned(p, found)]
    for old in [] if is_bad else others:
        api.remove("pods", old["metadata"]["name"])
    web["status"] = {
        "replicas": replicas + (len(others) if is_bad else 0),
        "updatedReplicas": replicas,
        "readyReplicas": len(others) if is_bad else replicas,
        "availableReplicas": len(others) if is_bad else replicas,
    }
    if is_bad:
        web["status"]["availableReplicas"] = 0


def _replica_set(web: Object, number: int) -> Object:
    return replica_set(
        number,
        pods=web["spec"]["template"],
        owner=web["metadata"]["uid"],
        notes=web["metadata"]["annotations"],
        replicas=1,
    )


def _pod(of: Object, index: int, *, ready: bool) -> Object:
    name, pods = of["metadata"]["name"], of["spec"]["template"]
    owners = owned_by(of["metadata"]["uid"], kind="ReplicaSet", name=name)
    return pod(
        f"{name}-{index}",
        ready=ready,
        metadata={"labels": pods["metadata"]["labels"], "ownerReferences": owners},
        spec=pods["spec"],
        phase="Running" if ready else "Pending",
    )


def _is_owned(obj: Object, owner: Object) -> bool:
    return any(
        o["uid"] == owner["metadata"]["uid"] for o in obj["metadata"].get("ownerReferences", [])
    )


def _bare(pods: Object) -> Object:
    bare = copy.deepcopy(pods)
    bare["metadata"]["labels"].pop("pod-template-hash", None)
    return bare


def crash_looping(api: ApiServer, message: str = "") -> None:
    """Let the current revision's Pod crash again and again, beside a Ready one of before."""
    ended = terminated("Error", 3, message)
    status = waiting("CrashLoopBackOff", message, restartCount=5, lastState=ended)
    api.edit("pods", "web-2-0", lambda pod: pod["status"].update(containerStatuses=[status]))


def image(api: ApiServer) -> str:
    web = api.get("deployments", "web")
    return str(web["spec"]["template"]["spec"]["containers"][0]["image"])


def holder(api: ApiServer) -> str:
    return str(api.get("leases", LEASE)["spec"]["holderIdentity"])


def records(api: ApiServer) -> list[Object]:
    """Return the ledger's records, oldest first; none where there is no Lease."""
    lease = api.find("leases", LEASE)
    if lease is None:
        return []
    found: list[Object] = json.loads(lease["metadata"]["annotations"][LEDGER])["records"]
    return found


def states(api: ApiServer) -> list[str]:
    return [r["state"] for r in records(api)]


def count(api: ApiServer, line: str) -> int:
    return api.lines.count(line)


@dataclass
class Told:
    """What a run said, and how it ended (None: an exception, or not at its end)."""

    events: list[Event] = field(default_factory=list)
    outcome: Outcome | None = None

    @property
    def result(self) -> str:
        return str(self.outcome.result) if self.outcome else ""

    @property
    def message(self) -> str:
        return self.outcome.whole if self.outcome else ""

    def of(self, kind: str) -> list[str]:
        return [e.message for e in self.events if e.kind == kind]

    @property
    def text(self) -> str:
        return "\n".join([e.message for e in self.events] + [self.message])


async def _yes(_: Plan) -> bool:
    return True


@asynccontextmanager
async def running(  # noqa: PLR0913 (each is a setting of its own)
    api: ApiServer,
    told: Told | None = None,
    *,
    target: Target = TARGET,
    limits: Limits = QUICK,
    policy: Request | None = None,
    confirm: Callable[[Plan], Awaitable[bool]] = _yes,
    actor: str = "ann",
    write_timeout: float = 1.0,
    look_for_leaks: bool = True,
) -> AsyncIterator[Run]:
    """Give a Run against this API server; afterwards no task of it may be left over.

    `look_for_leaks` is False where several run at once.
    """
    events = told.events if told is not None else []
    before = asyncio.all_tasks()
    connection = Connection(
        server=api.url, context="test", cluster="test", user="tester", namespace=NAMESPACE
    )
    async with (
        Client(connection, read_timeout=2.0, write_timeout=write_timeout) as client,
        RegistryClient(keyring=Keyring()) as registry,
        HttpClient() as web,
    ):
        session = Session(
            client=client,
            registry=registry,
            web=web,
            policy=policy or Request(successes=2),
            identity=replace(ALIVE, actor=actor),
            emit=events.append,
            confirm=confirm,
            limits=limits,
        )
        yield Run(
            session=session,
            target=target,
            ledger=ClusterLedger(client, target),
            op=operation_id(),
            trace_id=TRACE,
        )
    leaked = asyncio.all_tasks() - before - api.tasks
    assert not (leaked and look_for_leaks), f"tasks left over: {leaked}"


def within(run: Run, **changed: Any) -> Run:
    """Return the run in a session where something is different."""
    return replace(run, session=replace(run.session, **changed))


async def undone(api: ApiServer, **settings: Any) -> Told:
    """Carry out one whole undo; an error before anything was sent is told as the command does.

    One that does not end by itself is no passed test: it takes the time-out for an interruption.
    """
    told = Told()
    async with running(api, told, **settings) as run, asyncio.timeout(30) as deadline:
        try:
            told.outcome = await undo(run)
        except BackoutError as error:
            told.outcome = Outcome(result=Result.NOT_CHANGED, message=error.message)
    assert not deadline.expired(), told.text
    return told


def expire_lock(api: ApiServer) -> None:
    """Let the lock be as old as a dead holder's."""
    old = (api.now() - timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    api.edit("leases", LEASE, lambda lease: lease["spec"].update(renewTime=old))
