"""``git http-backend`` on loopback, which counts what it is asked and what it answers."""

from __future__ import annotations

import os
import subprocess
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PIECE = 1 << 16


@dataclass
class Counts:
    """What the server saw since it was last reset; bytes are those of the answers' bodies."""

    requests: int = 0
    connections: int = 0
    sent: int = 0


class Server(ThreadingHTTPServer):
    """All repositories below one folder, open to everybody who can reach the port."""

    daemon_threads = True

    def __init__(self, root: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.root = root
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self._counts = Counts()
        self._lock = threading.Lock()

    def count(self, *, requests: int = 0, connections: int = 0, sent: int = 0) -> None:
        """Add to what was seen; connections are served in threads of their own."""
        with self._lock:
            self._counts.requests += requests
            self._counts.connections += connections
            self._counts.sent += sent

    def taken(self) -> Counts:
        """Return the counts and begin anew."""
        with self._lock:
            counts, self._counts = self._counts, Counts()
        return counts


@contextmanager
def serving(root: Path) -> Iterator[Server]:
    """Serve a folder of repositories while the block runs."""
    with Server(root) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = _PIECE  # head and body in one piece: two would wait for each other
    server: Server
    passed_on: ClassVar = {
        "CONTENT_TYPE": "Content-Type",
        "GIT_PROTOCOL": "Git-Protocol",
        "HTTP_CONTENT_ENCODING": "Content-Encoding",
    }

    def setup(self) -> None:
        self.server.count(connections=1)
        super().setup()

    def _serve(self) -> None:
        self.server.count(requests=1)
        if self.headers.get("Transfer-Encoding"):
            self.send_error(411)  # nothing here sends so much that git would do this
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        backend = subprocess.Popen(
            ["git", "http-backend"],
            env=self._environment(len(body)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        with backend, backend.stdin as stdin, backend.stdout as stdout:  # type: ignore[union-attr]
            stdin.write(body)
            stdin.close()
            self._answer_head(iter(stdout.readline, b"\r\n"))
            while piece := stdout.read1(_PIECE):  # type: ignore[attr-defined]
                self.server.count(sent=len(piece))
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    do_GET = do_POST = _serve  # noqa: N815 - http.server's names

    def _environment(self, length: int) -> dict[str, str]:
        path, _, query = self.path.partition("?")
        passed = {key: self.headers.get(name, "") for key, name in self.passed_on.items()}
        return passed | {
            "PATH": os.environ["PATH"],
            "HOME": str(self.server.root),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_PROJECT_ROOT": str(self.server.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REMOTE_USER": "oauth2",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_LENGTH": str(length),
        }

    def _answer_head(self, lines: Iterator[bytes]) -> None:
        """Pass the head on; the body follows in chunks, as it is made."""
        fields = [line.decode().strip().partition(": ") for line in lines]
        headers = {name: value for name, _, value in fields}
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        headers.pop("Content-Length", None)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing: it would take time."""
