"""A small, stateful API server on loopback: for faults that the real one cannot be made to show.

    async with ApiServer() as api:
        api.add(deployment)            # seed; a controller may act on every change
        api.before = lambda request: Close() if request.method == "PATCH" else None
        ...                            # talk to api.url
    assert api.get("deployments", "web")["metadata"]["generation"] == 2

`before(request)` may return a step: then nothing is applied and the step is the answer. It may
also be a coroutine, which holds the request back for as long as it likes.
`after(request, answer)` may return a step that is sent instead, after all was applied. Writes
follow what was measured on 1.34.4 (docs/facts): conflicts, uid and
resourceVersion preconditions, Leases that a PUT creates, label values of 63 characters at most.
"""

from __future__ import annotations

import copy
import inspect
import json
import re
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any, Self

from tests.contract.api_objects import (
    Refused,
    json_patched,
    merge_patched,
    selected,
    status,
)
from tests.contract.api_watch import Watched, Watcher
from tests.contract.scripted_server import Answer, Received, ScriptedServer, Step, Stream

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from types import TracebackType

Object = dict[str, Any]
NAMESPACE = "shop"
KINDS = {
    "deployments": ("apps/v1", "Deployment"),
    "statefulsets": ("apps/v1", "StatefulSet"),
    "daemonsets": ("apps/v1", "DaemonSet"),
    "replicasets": ("apps/v1", "ReplicaSet"),
    "clonesets": ("apps.kruise.io/v1alpha1", "CloneSet"),
    "controllerrevisions": ("apps/v1", "ControllerRevision"),
    "pods": ("v1", "Pod"),
    "services": ("v1", "Service"),
    "events": ("v1", "Event"),
    "leases": ("coordination.k8s.io/v1", "Lease"),
    "configmaps": ("v1", "ConfigMap"),
    "secrets": ("v1", "Secret"),
    "serviceaccounts": ("v1", "ServiceAccount"),
    "resourcequotas": ("v1", "ResourceQuota"),
    "limitranges": ("v1", "LimitRange"),
    "horizontalpodautoscalers": ("autoscaling/v2", "HorizontalPodAutoscaler"),
    "poddisruptionbudgets": ("policy/v1", "PodDisruptionBudget"),
}
WORKLOADS = {"deployments", "statefulsets", "daemonsets", "clonesets"}
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_PATH = re.compile(
    r"/apis?/(?:[a-z0-9.]+/)?v[12](?:alpha1)?/namespaces/(?P<namespace>[^/]+)/(?P<resource>[a-z]+)"
    r"(?:/(?P<name>[^/]+))?(?P<rest>/.*)?"
)
_WHOLE: dict[str, Object] = {
    "/version": {"major": "1", "minor": "34", "gitVersion": "v1.34.4"},
    "/api/v1/nodes": {"kind": "NodeList", "metadata": {}, "items": []},
}
"""Of the whole cluster: what it says of itself."""
_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


class ApiServer:
    """An async context manager. `writes` are the requests that were let through and could write.

    `admitted` returns what a mutating webhook makes of an object that is patched. `denied`
    holds `verb resource` pairs that RBAC refuses; `proxied` answers what goes through the
    proxies; `moved_by` shifts the server's clock; `has_date` False strips the Date header.
    """

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self.before: Callable[[Received], Step | Awaitable[Step | None] | None] = lambda _: None
        self.after: Callable[[Received, Answer], Step | None] = lambda *_: None
        self.proxied: Callable[[Received], Step] = lambda _: Answer(body=b"well")
        self.admitted: Callable[[str, Object], Object] = lambda _, obj: obj
        self.controller: Callable[[ApiServer, Object], None] = lambda *_: None
        self.denied: set[str] = set()
        self.warnings: tuple[str, ...] = ()
        self.moved_by = timedelta()
        self.has_date = True
        self.writes: list[Received] = []
        self._objects: dict[tuple[str, str], Object] = {}
        self._version = 1000
        self._watched = Watched()
        self._server = ScriptedServer(self._answer, tls=tls)

    async def __aenter__(self) -> Self:
        await self._server.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._server.__aexit__(kind, error, trace)

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def requests(self) -> list[Received]:
        return self._server.requests

    @property
    def connections(self) -> int:
        """How many connections were made, in all."""
        return self._server.connections

    @property
    def tasks(self) -> set[Any]:
        """The server's own tasks, for those who look for leaked ones."""
        return set(self._server._tasks)

    @property
    def lines(self) -> list[str]:
        """`METHOD resource` of each request, `WATCH resource` for watches."""
        return [line_of(r) for r in self.requests]

    def get(self, resource: str, name: str) -> Object:
        return self._objects[resource, name]

    def find(self, resource: str, name: str) -> Object | None:
        return self._objects.get((resource, name))

    def all(self, resource: str) -> list[Object]:
        return [o for (kind, _), o in self._objects.items() if kind == resource]

    def add(self, resource: str, content: Mapping[str, Any]) -> Object:
        """Create an object as a user would, and let the controller act on it."""
        return self._create(resource, content)

    def edit(self, resource: str, name: str, change: Callable[[Object], None]) -> Object:
        """Change an object as a third party would, and let the controller act on it."""
        edited = copy.deepcopy(self.get(resource, name))
        change(edited)
        return self._store(resource, edited)

    def remove(self, resource: str, name: str) -> None:
        gone = self._objects.pop((resource, name))
        self._version += 1
        gone = {**gone, "metadata": {**gone["metadata"], "resourceVersion": str(self._version)}}
        self._watched.tell(resource, "DELETED", gone, self._version)

    def now(self) -> datetime:
        return datetime.now(tz=UTC) + self.moved_by

    def cut_watches(self) -> None:
        """End every watch that is open, as a restarting server does."""
        self._watched.end()

    def forget_history(self) -> None:
        """Compact: watches from older versions are answered with 410."""
        self._watched.compact(self._version)

    async def _answer(self, request: Received) -> Step:
        held = self.before(request)
        step = await held if inspect.isawaitable(held) else held
        if step is not None:
            return self._dated(step, request)
        is_dry = request.query.get("dryRun") == "All"
        if request.method != "GET" and request.path != _REVIEWS and not is_dry:
            self.writes.append(request)
        try:
            answer = self._route(request)
        except Refused as refused:
            answer = Answer(status=refused.code, json=refused.status)
        if isinstance(answer, Answer):
            answer = self.after(request, answer) or answer
        return self._dated(answer, request)

    def _dated(self, step: Step, request: Received) -> Step:
        if not isinstance(step, Answer | Stream):
            return step
        given = dict(step.headers)
        if self.has_date:
            given.setdefault("Date", format_datetime(self.now(), usegmt=True))
        given.setdefault("Audit-Id", request.headers.get("audit-id", ""))
        return replace(step, headers=given)

    def _route(self, request: Received) -> Step:
        if request.path == _REVIEWS:
            return self._review(request)
        if request.path in _WHOLE:
            self._allowed("list", request.path.rpartition("/")[2])
            return Answer(json=_WHOLE[request.path])
        match = _PATH.fullmatch(request.path)
        if match is None or match["resource"] not in KINDS:
            raise Refused(404, "NotFound", "the server could not find the requested resource")
        resource, name, rest = match["resource"], match["name"], match["rest"]
        if rest is not None:
            self._allowed("get", f"{resource}/proxy")
            return self.proxied(request)
        if name is None:
            return self._collection(request, resource)
        match request.method:
            case "GET":
                self._allowed("get", resource)
                found = self._existing(resource, name)
                in_row = "as=Table" in request.headers.get("accept", "")
                return Answer(json=_table(found) if in_row else found)
            case "PUT":
                self._allowed("update", resource)
                return self._replace(resource, name, request.json)
            case "PATCH":
                self._allowed("patch", resource)
                return self._patch(resource, name, request)
            case "DELETE":
                self._allowed("delete", resource)
                return self._delete(resource, name, request.json)
        raise Refused(405, "MethodNotAllowed", "not allowed on this resource")

    def _collection(self, request: Received, resource: str) -> Step:
        query = request.query
        if request.method == "POST":
            self._allowed("create", resource)
            if query.get("dryRun") == "All":
                return Answer(status=201, json=request.json)
            return Answer(status=201, json=self._create(resource, request.json))
        if query.get("watch") == "true":
            self._allowed("watch", resource)
            wanted = Watcher(
                resource, query.get("labelSelector", ""), query.get("fieldSelector", "")
            )
            return self._watched.stream(wanted, int(query["resourceVersion"]))
        self._allowed("list", resource)
        version, kind = KINDS[resource]
        items = [
            o
            for o in self.all(resource)
            if selected(o, query.get("labelSelector", ""), query.get("fieldSelector", ""))
        ]
        metadata = {"resourceVersion": str(self._version)}
        begin = int(query.get("continue", "0"))
        end = begin + int(query.get("limit", len(items)))
        if end < len(items):
            metadata["continue"] = str(end)
        return Answer(
            json={
                "kind": f"{kind}List",
                "apiVersion": version,
                "metadata": metadata,
                "items": items[begin:end],
            }
        )

    def _review(self, request: Received) -> Step:
        asked = request.json["spec"]["resourceAttributes"]
        allowed = f"{asked['verb']} {asked['resource']}" not in self.denied
        return Answer(status=201, json={**request.json, "status": {"allowed": allowed}})

    def _allowed(self, verb: str, resource: str) -> None:
        if f"{verb} {resource}" in self.denied:
            message = f'{resource} is forbidden: User "tester" cannot {verb} resource "{resource}"'
            raise Refused(403, "Forbidden", message)

    def _existing(self, resource: str, name: str) -> Object:
        found = self.find(resource, name)
        if found is None:
            raise Refused(404, "NotFound", f'{resource} "{name}" not found')
        return found

    def _create(self, resource: str, content: Mapping[str, Any]) -> Object:
        version, kind = KINDS[resource]
        created = {"apiVersion": version, "kind": kind, **copy.deepcopy(dict(content))}
        metadata = created["metadata"]
        if "generateName" in metadata and "name" not in metadata:
            metadata["name"] = metadata["generateName"] + uuid.uuid4().hex[:5]
        if not _NAME.fullmatch(metadata["name"]):
            raise Refused(422, "Invalid", "metadata.name: a lowercase RFC 1123 subdomain")
        if self.find(resource, metadata["name"]) is not None:
            raise Refused(409, "AlreadyExists", f'{resource} "{metadata["name"]}" already exists')
        metadata |= {
            "namespace": NAMESPACE,
            "uid": str(uuid.uuid4()),
            "creationTimestamp": self.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        return self._store(resource, created)

    def _replace(self, resource: str, name: str, body: Object) -> Step:
        there = self.find(resource, name)
        given = body["metadata"]
        if there is None and given.get("uid"):
            raise Refused(409, "Conflict", "Precondition failed: UID in precondition")
        if there is None:
            return Answer(status=201, json=self._create(resource, body))
        if not given.get("resourceVersion"):
            raise Refused(422, "Invalid", "metadata.resourceVersion: must be specified")
        if given["resourceVersion"] != there["metadata"]["resourceVersion"]:
            raise Refused(409, "Conflict", "the object has been modified")
        if given.get("uid", there["metadata"]["uid"]) != there["metadata"]["uid"]:
            raise Refused(409, "Conflict", "Precondition failed: UID in precondition")
        return Answer(json=self._store(resource, copy.deepcopy(body)))

    def _patch(self, resource: str, name: str, request: Received) -> Step:
        there = self._existing(resource, name)
        if request.headers["content-type"] == "application/json-patch+json":
            wanted = json_patched(there, request.json)
        else:
            wanted = merge_patched(there, request.json)
        old, new = there["metadata"], wanted["metadata"]
        if new.get("resourceVersion") != old["resourceVersion"]:
            raise Refused(409, "Conflict", f'Operation cannot be fulfilled on {resource} "{name}"')
        if new.get("uid") != old["uid"]:
            raise Refused(422, "Invalid", "metadata.uid: field is immutable")
        wanted = self.admitted(resource, copy.deepcopy(wanted))
        named = tuple(("Warning", f'299 - "{text}"') for text in self.warnings)
        if request.query.get("dryRun") == "All":
            return Answer(json=wanted, headers=dict(named))
        return Answer(json=self._store(resource, wanted), headers=dict(named))

    def _delete(self, resource: str, name: str, options: Object) -> Step:
        there = self._existing(resource, name)
        if options["preconditions"]["uid"] != there["metadata"]["uid"]:
            raise Refused(409, "Conflict", "Precondition failed: UID in precondition")
        version = there["metadata"]["resourceVersion"]
        if options["preconditions"].get("resourceVersion", version) != version:
            raise Refused(409, "Conflict", "Precondition failed: ResourceVersion in precondition")
        self.remove(resource, name)
        return Answer(json=there)

    def _store(self, resource: str, content: Object) -> Object:
        """Keep a new state; the same state again changes nothing, its version included."""
        name = content["metadata"]["name"]
        for key, value in (content["metadata"].get("labels") or {}).items():
            if len(value) > 63:
                raise Refused(422, "Invalid", f"metadata.labels[{key}]: must be no more than 63")
        before = self.find(resource, name)
        if before is not None and before == content:
            return before
        if resource in WORKLOADS:
            content["metadata"]["generation"] = _generation(before, content)
        self._version += 1
        content["metadata"]["resourceVersion"] = str(self._version)
        self._objects[resource, name] = content
        kind = "ADDED" if before is None else "MODIFIED"
        self._watched.tell(resource, kind, content, self._version)
        self.controller(self, content)
        return content


def _table(found: Object) -> Object:
    """Return what is printed of an object that has data: its number of keys, and its metadata."""
    count = len(found.get("data") or {}) + len(found.get("binaryData") or {})
    row = {"cells": [count], "object": {"metadata": found["metadata"]}}
    return {"kind": "Table", "columnDefinitions": [{"name": "Data"}], "rows": [row]}


def _generation(before: Object | None, now: Object) -> int:
    """Return the generation: it moves with the spec, and on a Deployment with annotations."""
    if before is None:
        return 1
    same = before.get("spec") == now.get("spec") and before["metadata"].get("annotations") == now[
        "metadata"
    ].get("annotations")
    return int(before["metadata"].get("generation", 1)) + (0 if same else 1)


def line_of(request: Received) -> str:
    """Return `PATCH deployments`, `DRY deployments` (a dry run), `LIST pods` and the like."""
    if request.path == _REVIEWS:
        return "POST selfsubjectaccessreviews"
    match = _PATH.fullmatch(request.path)
    if match is None:
        return f"{request.method} {request.path}"
    verb = "WATCH" if request.query.get("watch") == "true" else request.method
    if verb == "GET" and match["name"] is None:
        verb = "LIST"
    if request.query.get("dryRun") == "All":
        verb = "DRY"
    return f"{verb} {match['resource']}" + ("/proxy" if match["rest"] else "")


def is_undo(request: Received) -> bool:
    """Tell the PATCH of an undo from its dry run, the second write, and a fence, a merge patch."""
    is_json_patch = "json-patch" in request.headers.get("content-type", "")
    is_first = is_json_patch and not is_hand_back(request)
    return is_first and request.query.get("dryRun") != "All"


def is_hand_back(request: Received) -> bool:
    """Tell the write that hands the template's fields back to who applies them."""
    return request.method == "PATCH" and b'"/metadata/managedFields"' in request.body


def failure(code: int, reason: str = "", message: str = "", **headers: str) -> Answer:
    """Return an answer with a Status object, as the API server fails."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status=code, json=status(code, reason, message), headers=named)


def bodies(requests: Sequence[Received], line: str) -> list[Any]:
    """Return the JSON bodies of the requests that read like `line`."""
    return [json.loads(r.body) for r in requests if line_of(r) == line]
