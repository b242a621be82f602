"""A GitLab for benchmarks: the embedded one's API, and ``git http-backend`` for its repositories.

The embedded GitLab holds its repositories in memory and serves them in Python, which would be
measured as well. Here it knows the commits since production, which its API tells of, and what is
pushed; the rest stays with git. It counts what it is asked and what it answers.
"""

from __future__ import annotations

import gzip
import os
import subprocess
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import IO, TYPE_CHECKING, NamedTuple, cast

from costs.world import world_of
from dulwich.repo import Repo
from werkzeug.test import Client

from hotfix.identifiers import Sha
from hotfix.sandbox.application import Application

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from io import BufferedReader

    from costs.lab import Lab
    from costs.repository import Synthetic
    from dulwich.objects import ShaFile

_PIECE = 1 << 16


class Seen(NamedTuple):
    """What was asked and answered; bytes are those of the answers' bodies."""

    megabytes: float = 0
    requests: int = 0
    fetches: int = 0
    """Requests for objects: neither for refs nor for capabilities."""
    connections: int = 0
    answering: float = 0
    """Seconds from each request to the end of its answer, added up."""


class Host(ThreadingHTTPServer):
    """Repositories with the projects, deployments and merge requests that they belong to."""

    daemon_threads = True
    request_queue_size = 128  # 20 targets open many connections at once

    def __init__(self, lab: Lab, repositories: Sequence[Synthetic]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self._lab = lab
        self._repositories = {each.shape.path: each for each in repositories}
        self._known = {each.shape.path: _since_production(lab, each) for each in repositories}
        self._lock = threading.Lock()
        self._seen = Seen()
        self.reset()

    def reset(self, delay: float = 0) -> None:
        """Have all as it was before the hotfix."""
        for each in self._repositories.values():
            self._lab.git(each.path, "update-ref", "refs/heads/release", each.release)
        self._world = world_of(self._repositories.values(), self._known)
        self._world.url = self.url
        self._application = Application(self._world)
        self._pushed: set[str] = set()
        self.delay = delay

    def taken(self) -> Seen:
        """Return what was counted, and begin anew."""
        with self._lock:
            seen, self._seen = self._seen, Seen()
        return seen

    def count(self, more: Seen) -> None:
        """Add to what was seen; each connection has a thread of its own."""
        with self._lock:
            self._seen = Seen(*map(sum, zip(self._seen, more, strict=True)))

    def repository(self, path: str) -> Synthetic | None:
        """Return the repository of a project that git serves."""
        return self._repositories.get(path)

    def moved(self, path: str) -> None:
        """Note that a project was pushed to."""
        with self._lock:
            self._pushed.add(path)

    def api(self) -> Application:
        """Return the GitLab, after telling it of what was pushed."""
        with self._lock:
            while self._pushed:
                path = self._pushed.pop()
                synthetic = self._repositories[path]
                head = Sha(self._lab.git(synthetic.path, "rev-parse", "release"))
                known = self._world.project(path).repository
                for commit in _commits(self._lab, synthetic, head, f"^{synthetic.release}"):
                    known.add(commit)
                known.refs["refs/heads/release"] = head
        return self._application


@contextmanager
def serving(lab: Lab, *repositories: Synthetic) -> Iterator[Host]:
    """Serve repositories, and the GitLab that they are part of, while the block runs."""
    with Host(lab, repositories) as host:
        thread = threading.Thread(target=host.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield host
        finally:
            host.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    """Keeps connections, as GitLab does and werkzeug's server does not."""

    server: Host
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = _PIECE  # head and body in one piece: two would wait for each other

    def setup(self) -> None:
        self.server.count(Seen(connections=1))
        super().setup()

    def _answer(self) -> None:
        began = time.monotonic()
        time.sleep(self.server.delay)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        project, _, rest = self.path[1:].partition(".git/")
        repository = self.server.repository(project)
        if repository is None:
            self._ask_gitlab(body)
        else:
            self._ask_git(repository, *rest.partition("?")[::2], body)
        self.server.count(Seen(requests=1, answering=time.monotonic() - began))

    do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 - http.server's names

    def _ask_gitlab(self, body: bytes) -> None:
        client = Client(self.server.api(), use_cookies=False)
        answer = client.open(
            self.path,
            base_url=self.server.url,
            method=self.command,
            headers=list(self.headers.items()),
            data=body,
        )
        data = answer.get_data()
        self._head(answer.status_code, [*answer.headers, ("Content-Length", str(len(data)))])
        self._send(data)

    def _ask_git(self, repository: Synthetic, path: str, query: str, body: bytes) -> None:
        backend = subprocess.Popen(
            ["git", "http-backend"],
            env=self._cgi(repository) | {"PATH_INFO": f"/{path}", "QUERY_STRING": query},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        stdin, stdout = cast("IO[bytes]", backend.stdin), cast("BufferedReader", backend.stdout)
        with backend:
            stdin.write(body)
            stdin.close()
            lines = (line.decode().strip() for line in iter(stdout.readline, b"\r\n"))
            headers = dict(line.split(": ", 1) for line in lines)
            status = int(headers.pop("Status", "200").split()[0])
            self._head(status, [*headers.items(), ("Transfer-Encoding", "chunked")])
            for piece in iter(lambda: stdout.read1(_PIECE), b""):
                self.wfile.write(b"%x\r\n" % len(piece))
                self._send(piece)
                self.wfile.write(b"\r\n")
        self.wfile.write(b"0\r\n\r\n")
        if path == "git-receive-pack":
            self.server.moved(repository.shape.path)
        elif b"command=fetch" in self._plain(body):
            self.server.count(Seen(fetches=1))

    def _cgi(self, repository: Synthetic) -> dict[str, str]:
        passed = {
            "CONTENT_TYPE": "Content-Type",
            "CONTENT_LENGTH": "Content-Length",
            "GIT_PROTOCOL": "Git-Protocol",
            "HTTP_CONTENT_ENCODING": "Content-Encoding",
        }
        return {name: self.headers.get(header, "") for name, header in passed.items()} | {
            "PATH": os.environ["PATH"],
            "HOME": str(repository.path.parent),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_PROJECT_ROOT": str(repository.path),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REMOTE_USER": "oauth2",
            "REQUEST_METHOD": self.command,
        }

    def _plain(self, body: bytes) -> bytes:
        is_packed = self.headers.get("Content-Encoding") == "gzip"
        return gzip.decompress(body) if is_packed else body

    def _head(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()

    def _send(self, data: bytes) -> None:
        self.server.count(Seen(megabytes=len(data) / 1e6))
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing: it would take time."""


def _since_production(lab: Lab, synthetic: Synthetic) -> list[ShaFile]:
    return _commits(lab, synthetic, "main", f"^{synthetic.production}~1")


def _commits(lab: Lab, synthetic: Synthetic, *revisions: str) -> list[ShaFile]:
    listed = lab.git(synthetic.path, "rev-list", *revisions).split()
    with Repo(str(synthetic.path)) as bare:
        return [bare[sha.encode()] for sha in listed]
