"""A registry on loopback that refuses for a while, in front of the sandbox's real one."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMITED = (
    b'{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your unauthenticated pull '
    b'rate limit."}]}'
)


@contextmanager
def refusing(status: int, *, behind: str, times: int | None = None) -> Iterator[str]:
    """Serve `HOST:PORT`, answering `status`; after `times` of it what the registry `behind` has.

    One pull asks once where it gets an error (containerd, measured).
    """
    left = [times if times is not None else 1 << 30]

    class Answers(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            left[0] -= 1
            if left[0] >= 0:
                self._answer(status, {"Content-Type": "application/json"}, LIMITED)
                return
            connection = HTTPConnection(behind, timeout=10)
            accepted = {"Accept": self.headers.get("Accept", "*/*")}
            connection.request(self.command, self.path, headers=accepted)
            told = connection.getresponse()
            self._answer(told.status, dict(told.headers), told.read())
            connection.close()

        def _answer(self, code: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(code)
            for name, value in headers.items():
                if name.lower() not in {"content-length", "transfer-encoding", "connection"}:
                    self.send_header(name, value)
            length = headers.get("Content-Length", str(len(body)))
            self.send_header("Content-Length", length)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
