"""A world with a secret in every place that has one: cluster, registry, service, command line.

Whoever adds a place adds it to `PLACES`, and plants it in `world`: a place without a plant fails.
What is known (the run was given it) is a sentence: only knowing it masks it. What is not known has
the shape in which it is found in the wild.
"""

from __future__ import annotations

import base64
import json
import ssl
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import trustme

from tests.contract.api_server import ApiServer, failure
from tests.contract.scripted_server import Answer, Received, ScriptedServer, Step
from tests.contract.steps.shop import shop, template

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.contract.cli.command import Command

PLACES = {
    "token of the kubeconfig": "correct horse of the kubeconfig",
    "token of the command line": "correct-horse-of-the-flag",
    "password of the proxy of the command line": "correct-horse-of-the-proxy-flag",
    "password of the registry": "correct horse of the registry",
    "password of a pull Secret": "correct horse of a pull Secret",
    "header of the health request": "correct horse of the header",
    "token in the health URL": "c0rrect-horse-of-the-health-url",
    "token of Prometheus": "correct-horse-of-prometheus",
    "path of the notified URL": "correct-horse-of-the-hook",
    "key of the notifications": "correct horse of the key",
    "password of the proxy": "correct-horse-of-the-proxy",
    "value of an environment variable": "c0rrect-horse-of-the-env",
    "command of a hook": "c0rrectHorseOfTheHook",
    "line of a log": "c0rrect-horse-of-the-log",
    "JSON in the JSON of a log": "c0rrect-horse-of-the-nested-log",
    "message of the API server": "c0rrect-horse-of-the-server",
    "warning of the API server": "c0rrect-horse-of-the-warning",
    "cause of a change": "c0rrect-horse-of-the-cause",
    "error of Prometheus": "c0rrect-horse-of-the-error",
    "label of an alert": "c0rrect-horse-of-the-alert",
    "output of a smoke test": "c0rrect-horse-of-the-output",
    "smoke test": "c0rrectHorseOfTheSmokeTest",
    "reason": "c0rrect-horse-of-the-reason",
}


@dataclass
class World:
    """The servers, what they were sent, and what was planted."""

    api: ApiServer
    prometheus: str = ""
    hook: ScriptedServer = field(default_factory=ScriptedServer)
    planted: set[str] = field(default_factory=set)

    def plant(self, place: str) -> str:
        self.planted.add(place)
        return PLACES[place]

    @property
    def stored(self) -> dict[str, str]:
        """What was written into the cluster and sent to the hook, by where."""
        return {
            "Lease": json.dumps(self.api.all("leases")),
            "Event": json.dumps([e for e in self.api.all("events") if _is_ours(e)]),
            "notification": "\n".join(r.body.decode() for r in self.hook.requests),
        }


def _is_ours(event: dict[str, Any]) -> bool:
    return bool(event.get("source", {}).get("component") == "backout")


@asynccontextmanager
async def world(backout: Command) -> AsyncIterator[World]:
    """Give the world, and the command that knows what is planted for it."""
    async with AsyncExitStack() as stack:
        authority = trustme.CA()
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(tls)
        here = World(await stack.enter_async_context(ApiServer(tls=tls)))
        ca = base64.b64encode(authority.cert_pem.bytes()).decode()
        backout.point_to(here.api.url, **{"certificate-authority-data": ca})
        registry = await stack.enter_async_context(ScriptedServer(_registry))
        prometheus = await stack.enter_async_context(ScriptedServer(lambda r: _prometheus(here, r)))
        here.hook = await stack.enter_async_context(ScriptedServer(lambda _: Answer(status=500)))
        here.prometheus = prometheus.url
        _cluster(here, registry.url.removeprefix("http://"))
        _given(here, backout, registry.url.removeprefix("http://"))
        yield here


def _cluster(here: World, registry: str) -> None:
    """Fill the cluster: each free text of a workload, and of a server that repeats all."""
    api, image = here.api, f"{registry}/app:good"
    good = template(image, imagePullSecrets=[{"name": "pull"}])
    container = good["spec"]["containers"][0]
    value = here.plant("value of an environment variable")
    container["env"] = [{"name": "DB_PASSWORD", "value": value}]
    shop(api, good=good)
    logins = {registry: {"auth": _basic(here.plant("password of a pull Secret"))}}
    text = json.dumps({"auths": logins}).encode()
    data = {".dockerconfigjson": base64.b64encode(text).decode()}
    api.add(
        "secrets",
        {"metadata": {"name": "pull"}, "type": "kubernetes.io/dockerconfigjson", "data": data},
    )
    cause = f"deploy --password={here.plant('cause of a change')}"
    for one in api.all("replicasets"):
        api.edit(
            "replicasets",
            one["metadata"]["name"],
            lambda r: r["metadata"]["annotations"].update({"kubernetes.io/change-cause": cause}),
        )
    for one in api.all("pods"):
        if "bad" in one["spec"]["containers"][0]["image"]:
            _crash(here, one["metadata"]["name"])
    api.warnings = (f"password={here.plant('warning of the API server')}",)
    api.before = lambda request: _answered(here, request)
    admitted = f"{value}-rewritten"
    api.admitted = lambda _, obj: _rewritten(obj, admitted)


def _crash(here: World, name: str) -> None:
    hook = (
        f"Exec lifecycle hook ([curl -H 'Authorization: Bearer {here.plant('command of a hook')}'])"
    )
    state = {"waiting": {"reason": "CrashLoopBackOff", "message": hook}}

    def change(pod: dict[str, Any]) -> None:
        pod["status"]["containerStatuses"] = [
            {
                "name": pod["spec"]["containers"][0]["name"],
                "ready": False,
                "restartCount": 4,
                "state": state,
                "lastState": {"terminated": {"exitCode": 1, "message": hook}},
            }
        ]

    here.api.edit("pods", name, change)


def _rewritten(obj: dict[str, Any], value: str) -> dict[str, Any]:
    """Do what a mutating webhook does: write a secret into the template."""
    for container in obj.get("spec", {}).get("template", {}).get("spec", {}).get("containers", []):
        for one in container.get("env", []):
            one["value"] = value
    return obj


def _answered(here: World, request: Received) -> Step | None:
    """Answer as a server that repeats what it was sent; None: as it usually does."""
    said = here.plant("message of the API server")
    if request.path.endswith("/log"):
        nested = json.dumps({"password": here.plant("JSON in the JSON of a log")})
        lines = (f"password={here.plant('line of a log')}", json.dumps({"log": nested}))
        return Answer(body="\n".join(lines).encode())
    if "resourcequotas" in request.path:
        heard = request.headers.get("authorization", "")
        return failure(500, "InternalError", f"you sent {heard}; token={said}")
    return None


def _registry(request: Received) -> Step:
    if "authorization" not in request.headers:
        challenge = {"WWW-Authenticate": 'Basic realm="registry"'}
        return Answer(status=401, headers=challenge)
    heard = base64.b64decode(request.headers["authorization"].split()[1]).decode()
    return Answer(status=403, json={"errors": [{"code": "DENIED", "message": f"not {heard}"}]})


def _prometheus(here: World, request: Received) -> Step:
    if request.path.endswith("/alerts"):
        labels = {"alertname": "Down", "namespace": "shop"}
        labels["link"] = f"https://x/?token={here.plant('label of an alert')}"
        row = {"labels": labels, "state": "firing", "activeAt": "2026-01-02T03:04:05Z"}
        return Answer(json={"status": "success", "data": {"alerts": [row]}})
    heard = request.headers.get("authorization", "")
    error = f"password={here.plant('error of Prometheus')}; you sent {heard.split()[-1]}"
    return Answer(status=422, json={"status": "error", "errorType": "execution", "error": error})


def _given(here: World, backout: Command, registry: str) -> None:
    """Give the command what it may know: files and variables, and words on its command line."""
    content = json.loads(backout.kubeconfig.read_text())
    content["users"][0]["user"]["token"] = here.plant("token of the kubeconfig")
    backout.kubeconfig.write_text(json.dumps(content))
    files = {
        "auth": json.dumps({"auths": {registry: {"auth": _basic(here.plant(_REGISTRY))}}}),
        "prometheus": here.plant("token of Prometheus"),
        "key": here.plant("key of the notifications"),
    }
    for name, text in files.items():
        (backout.home / f"{name}.given").write_text(text)
    backout.environment = {
        "BACKOUT_HEALTH_HEADER": f"X-Api: {here.plant('header of the health request')}",
        "BACKOUT_NOTIFY": f"{here.hook.url}/{here.plant('path of the notified URL')}",
        "BACKOUT_NOTIFY_KEY_FILE": str(backout.home / "key.given"),
        "BACKOUT_PROMETHEUS": here.prometheus,
        "BACKOUT_PROMETHEUS_TOKEN_FILE": str(backout.home / "prometheus.given"),
        "BACKOUT_REGISTRY_AUTH_FILE": str(backout.home / "auth.given"),
        "BACKOUT_REGISTRY_PLAIN_HTTP": registry,
        "HTTPS_PROXY": f"http://ann:{here.plant('password of the proxy')}@127.0.0.1:9",
    }


_REGISTRY = "password of the registry"


def words(here: World) -> tuple[str, ...]:
    """Return the words of the command line that hold secrets."""
    said = here.plant("output of a smoke test")
    bearer = here.plant("smoke test")
    url = f"{here.hook.url}/up?token={here.plant('token in the health URL')}"
    return (
        *("--token", here.plant("token of the command line"), "--server", here.api.url),
        *("--health", url, "--metric", "up < 1", "--health-successes", "1"),
        *("--health-command", f": Authorization: Bearer {bearer}; echo password={said}; exit 1"),
        *("--reason", f"INC-9 token={here.plant('reason')}"),
    )


def proxied(here: World) -> tuple[str, ...]:
    """Return the words that send everything to a proxy that is not there."""
    password = here.plant("password of the proxy of the command line")
    return ("--proxy-url", f"http://ann:{password}@127.0.0.1:9")


def _basic(password: str) -> str:
    return base64.b64encode(f"ann:{password}".encode()).decode()
