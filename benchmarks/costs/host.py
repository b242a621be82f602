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
from typing import IO, TYPE_CHECKING, NamedTuple, cast

from costs.world import world_of
from dulwich.repo import Repo
from werkzeug.serving import WSGIRequestHandler, make_server

from hotfix.identifiers import Sha
from hotfix.sandbox.application import Application

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from io import BufferedReader
    from wsgiref.types import StartResponse, WSGIEnvironment

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


class Host:
    """Repositories with the projects, deployments and merge requests that they belong to."""

    def __init__(self, lab: Lab, repositories: Sequence[Synthetic]) -> None:
        self.url = ""
        self._lab = lab
        self._repositories = {f"/{each.shape.path}.git": each for each in repositories}
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
        self._delay = delay

    def taken(self) -> Seen:
        """Return what was counted, and begin anew."""
        with self._lock:
            seen, self._seen = self._seen, Seen()
        return seen

    def count(
        self, *, sent: int = 0, requests: int = 0, fetches: int = 0, connections: int = 0
    ) -> None:
        """Add to what was seen; each connection has a thread of its own."""
        with self._lock:
            before = self._seen
            self._seen = Seen(
                before.megabytes + sent / 1e6,
                before.requests + requests,
                before.fetches + fetches,
                before.connections + connections,
            )

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        time.sleep(self._delay)
        project, _, rest = environ["PATH_INFO"].partition(".git/")
        repository = self._repositories.get(f"{project}.git")
        if repository is not None:
            pieces: Iterable[bytes] = self._ask_git(repository, f"/{rest}", environ, start_response)
        else:
            self._catch_up()
            pieces = self._application(environ, start_response)
        self.count(requests=1)
        for piece in pieces:
            self.count(sent=len(piece))
            yield piece

    def _ask_git(
        self,
        repository: Synthetic,
        path: str,
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterator[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        backend = subprocess.Popen(
            ["git", "http-backend"],
            env=_cgi(repository, path, environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        stdin, stdout = cast("IO[bytes]", backend.stdin), cast("BufferedReader", backend.stdout)
        with backend:
            stdin.write(body)
            stdin.close()
            lines = (line.decode().strip() for line in iter(stdout.readline, b"\r\n"))
            headers = dict(line.split(": ", 1) for line in lines)
            start_response(headers.pop("Status", "200 OK"), list(headers.items()))
            yield from iter(lambda: stdout.read1(_PIECE), b"")
        if path.endswith("receive-pack"):
            self._pushed.add(repository.shape.path)
        elif b"command=fetch" in _plain(body, environ)[:_PIECE]:
            self.count(fetches=1)

    def _catch_up(self) -> None:
        """Tell the GitLab of what was pushed since it was last asked."""
        with self._lock:
            while self._pushed:
                path = self._pushed.pop()
                synthetic = self._repositories[f"/{path}.git"]
                head = Sha(self._lab.git(synthetic.path, "rev-parse", "release"))
                known = self._world.project(path).repository
                for commit in _commits(self._lab, synthetic, head, f"^{synthetic.release}"):
                    known.add(commit)
                known.refs["refs/heads/release"] = head


@contextmanager
def serving(lab: Lab, *repositories: Synthetic) -> Iterator[Host]:
    """Serve repositories, and the GitLab that they are part of, while the block runs."""
    host = Host(lab, repositories)

    class Handler(WSGIRequestHandler):
        disable_nagle_algorithm = True
        wbufsize = _PIECE  # head and body in one piece: two would wait for each other

        def setup(self) -> None:
            host.count(connections=1)
            super().setup()

        def log(self, *_: object) -> None:
            """Say nothing: it would take time."""

    server = make_server("127.0.0.1", 0, host, threaded=True, request_handler=Handler)
    host.url = f"http://127.0.0.1:{server.port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield host
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _cgi(repository: Synthetic, path: str, environ: WSGIEnvironment) -> Mapping[str, str]:
    asked = ("CONTENT_TYPE", "CONTENT_LENGTH", "QUERY_STRING", "REQUEST_METHOD")
    return {name: environ.get(name, "") for name in (*asked, "HTTP_CONTENT_ENCODING")} | {
        "PATH": os.environ["PATH"],
        "HOME": str(repository.path.parent),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_PROTOCOL": environ.get("HTTP_GIT_PROTOCOL", ""),
        "GIT_PROJECT_ROOT": str(repository.path),
        "GIT_HTTP_EXPORT_ALL": "1",
        "REMOTE_USER": "oauth2",
        "PATH_INFO": path,
    }


def _plain(body: bytes, environ: WSGIEnvironment) -> bytes:
    return gzip.decompress(body) if environ.get("HTTP_CONTENT_ENCODING") == "gzip" else body


def _since_production(lab: Lab, synthetic: Synthetic) -> list[ShaFile]:
    return _commits(lab, synthetic, "main", f"^{synthetic.production}~1")


def _commits(lab: Lab, synthetic: Synthetic, *revisions: str) -> list[ShaFile]:
    listed = lab.git(synthetic.path, "rev-list", *revisions).split()
    with Repo(str(synthetic.path)) as bare:
        return [bare[sha.encode()] for sha in listed]
