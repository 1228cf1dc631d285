"""What the tests of the client share: a connection to a scripted server, a clock, Status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backout.kube.connection import Connection, Credentials, Impersonation, Trust
from tests.contract.scripted_server import Answer, ScriptedServer

if TYPE_CHECKING:
    import trustme


def connection_to(
    server: ScriptedServer,
    *,
    credentials: Credentials | None = None,
    ca: trustme.CA | None = None,
    impersonation: Impersonation | None = None,
) -> Connection:
    return Connection(
        server=server.url,
        context="test",
        cluster="test",
        user="tester",
        namespace="default",
        trust=Trust(ca=ca.cert_pem.bytes() if ca else None),
        credentials=credentials or Credentials(),
        impersonation=impersonation,
    )


class StandingClock:
    """A clock that moves only when somebody sleeps; `slept` is how long, each time."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def status(code: int, reason: str, message: str, **details: Any) -> dict[str, Any]:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "details": details,
        "code": code,
    }


def refusal(code: int, reason: str, message: str, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status=code, json=status(code, reason, message), headers=named)


def pod(name: str, version: str, **metadata: Any) -> dict[str, Any]:
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {"name": name, "uid": f"uid-{name}", "resourceVersion": version, **metadata},
    }
