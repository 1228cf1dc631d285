"""A TLS server, a plain one and a proxy on loopback that write down what arrives, and refuse it.

Threads, not asyncio: each worker of the differential test has its own, beside a running kubectl.
"""

from __future__ import annotations

import json
import socket
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

ANSWER = json.dumps(
    {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}
).encode()
COMPARED = ("authorization", "host", "impersonate-")


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """One request as the server saw it. `peer` is the common name of the client's certificate."""

    method: str
    path: str
    scheme: str
    server_name: str
    peer: str
    headers: tuple[tuple[str, str], ...]
    proxy: str
    """`METHOD authorization` of the proxy that was asked, empty if none was."""


class Recorder:
    """A context manager; `tls`, `plain`, `proxy` and `tls_proxy` are ports."""

    def __init__(self, context: Callable[[], ssl.SSLContext]) -> None:
        secure, proxy_context = context(), context()
        secure.sni_callback = _remember_name
        self._arrivals: list[Arrival] = []
        self._tunnels: dict[int, str] = {}
        self._servers = [
            _Server(self, secure, "https"),
            _Server(self, None, "http"),
            _Server(self, None, "proxy"),
            _Server(self, proxy_context, "proxy"),
        ]
        self.tls, self.plain, self.proxy, self.tls_proxy = (
            server.server_address[1] for server in self._servers
        )

    def __enter__(self) -> Self:
        for server in self._servers:
            # A short poll: shutting down waits for the next one.
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def take(self) -> list[Arrival]:
        """Return what arrived since the last time."""
        taken, self._arrivals[:] = list(self._arrivals), []
        # A port is given to a later client: what nobody came through is no tunnel of its.
        self._tunnels.clear()
        return taken


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, recorder: Recorder, context: ssl.SSLContext | None, role: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.recorder, self.context, self.role = recorder, context, role

    def get_request(self) -> tuple[Any, Any]:
        connection, address = super().get_request()
        connection.settimeout(10)
        if self.context is not None:
            try:
                return self.context.wrap_socket(
                    connection, server_side=True, do_handshake_on_connect=False
                ), address
            except OSError:
                connection.close()
                raise
        return connection, address

    def handle_error(self, *_: object) -> None:
        """Say nothing: clients that do not trust us go away in the middle."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self._record(self.server.role, self.path)

    def do_GET(self) -> None:
        self._record(self.server.role, self.path)

    def _record(self, role: str, target: str) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        recorder, proxy = self.server.recorder, ""
        if role == "proxy":
            proxy = self._asked()
            role, target = "http", "/" + target.split("/", 3)[3]
        else:
            proxy = recorder._tunnels.pop(self.client_address[1], "")
        certificate: Any = getattr(self.connection, "getpeercert", dict)() or {}
        names = dict(pair for part in certificate.get("subject", ()) for pair in part)
        arrival = Arrival(
            method=self.command,
            path=target.partition("?")[0],
            scheme=role,
            server_name=getattr(self.connection, "asked_name", ""),
            peer=names.get("commonName", ""),
            headers=tuple(
                sorted(
                    (name.lower(), value)
                    for name, value in self.headers.items()
                    if name.lower().startswith(COMPARED)
                )
            ),
            proxy=proxy,
        )
        recorder._arrivals.append(arrival)
        self.send_response(404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(ANSWER)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(ANSWER)
        self.close_connection = True

    def _asked(self) -> str:
        return f"{self.command} {self.headers.get('Proxy-Authorization', '')}".strip()

    def do_CONNECT(self) -> None:
        """Tunnel to the TLS server, whatever host was asked for."""
        with socket.create_connection(("127.0.0.1", self.server.recorder.tls)) as there:
            self.server.recorder._tunnels[there.getsockname()[1]] = (
                f"{self._asked()} {self.path.rpartition(':')[0]}"
            )
            self.send_response(200)
            self.end_headers()
            back = threading.Thread(target=_copy, args=(there, self.connection), daemon=True)
            back.start()
            _copy(self.connection, there)
            back.join()
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while chunk := source.recv(65536):
            target.sendall(chunk)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def _remember_name(connection: Any, name: str | None, _context: ssl.SSLContext) -> None:
    connection.asked_name = name or ""
