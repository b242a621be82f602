"""``git http-backend`` on loopback, which counts what it is asked and what it answers.

What is no repository goes to an application, if there is one: then both together are a GitLab.
"""

from __future__ import annotations

import os
import subprocess
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from costs.repository import Synthetic
    from werkzeug.test import TestResponse

_PIECE = 1 << 16


@dataclass
class Counts:
    """What the server saw since it was last reset; bytes are those of the answers' bodies."""

    requests: int = 0
    connections: int = 0
    sent: int = 0


class Server(ThreadingHTTPServer):
    """Repositories by their project's path, open to everybody who can reach the port."""

    daemon_threads = True
    request_queue_size = 128  # 20 targets open many connections at once

    def __init__(self, repositories: Iterable[Synthetic]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repositories: Mapping[str, Path] = {
            f"/{each.shape.path}.git": each.path for each in repositories
        }
        self.port = self.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.application: object | None = None
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
def serving(*repositories: Synthetic) -> Iterator[Server]:
    """Serve repositories while the block runs."""
    with Server(repositories) as server:
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
    disable_nagle_algorithm = True
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
        project, dot_git, rest = self.path.partition(".git/")
        repository = self.server.repositories.get(f"{project}.git") if dot_git else None
        if repository is not None:
            self._ask_git(repository, rest, body)
        elif self.server.application is not None:
            self._ask_application(body)
        else:
            self.send_error(404)

    do_GET = do_POST = _serve  # noqa: N815 - http.server's names

    def _ask_git(self, repository: Path, rest: str, body: bytes) -> None:
        backend = subprocess.Popen(
            ["git", "http-backend"],
            env=self._environment(repository, rest, len(body)),
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

    def _environment(self, repository: Path, rest: str, length: int) -> dict[str, str]:
        path, _, query = rest.partition("?")
        passed = {key: self.headers.get(name, "") for key, name in self.passed_on.items()}
        return passed | {
            "PATH": os.environ["PATH"],
            "HOME": str(repository.parent),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_PROJECT_ROOT": str(repository),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REMOTE_USER": "oauth2",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": f"/{path}",
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

    def _ask_application(self, body: bytes) -> None:
        answer = self._answer(body)
        data = answer.get_data()
        self.server.count(sent=len(data))
        self.send_response(answer.status_code)
        for name, value in answer.headers:
            if name.lower() not in {"content-length", "date"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _answer(self, body: bytes) -> TestResponse:
        from werkzeug.test import Client  # noqa: PLC0415 - only where there is an application

        client = Client(self.server.application, use_cookies=False)  # type: ignore[arg-type]
        return client.open(
            self.path,
            base_url=self.server.url,
            method=self.command,
            headers=list(self.headers.items()),
            data=body,
        )

    def log_message(self, *_: object) -> None:
        """Say nothing: it would take time."""
