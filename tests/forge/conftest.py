from __future__ import annotations

import json
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from hotfix.clock import SystemClock
from hotfix.forge.gitlab import GitLabForge
from hotfix.sandbox import Sandbox, seed
from tests.contract import Contract

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from hotfix.forge.protocol import Forge

TOKEN = "glpat-canary-000000000000"


@dataclass
class Reply:
    """What the stub answers: JSON, or bytes as they are."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    kind: str = "application/json"
    drop: bool = False
    delay: float = 0.0


@dataclass
class Seen:
    """A request as the stub got it."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


class Stub:
    """A server that answers by script: the last reply of a route is repeated."""

    def __init__(self) -> None:
        self.requests: list[Seen] = []
        self._script: dict[tuple[str, str], list[Reply]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"http://{self.host}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def on(self, method: str, path: str, body: object = None, **options: Any) -> None:  # noqa: ANN401  (those of Reply)
        """Add a reply to the script of a route."""
        self._script.setdefault((method, path), []).append(replace(Reply(body), **options))

    def secure(self, certificate: Path, key: Path) -> str:
        """Speak TLS from now on; returns the address."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        return f"https://{self.host}"

    def asked(self, method: str, path: str) -> list[Seen]:
        return [seen for seen in self.requests if (seen.method, seen.path) == (method, path)]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answer(self, seen: Seen) -> Reply:
        self.requests.append(seen)
        script = self._script.get((seen.method, seen.path))
        if script is None:
            return Reply({"message": "404 Not Found"}, status=404)
        return script.pop(0) if len(script) > 1 else script[0]

    def _handler(stub) -> type[BaseHTTPRequestHandler]:  # noqa: N805  (two selves)
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body in one piece: two would wait for each other

            def _serve(self) -> None:
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
                path = unquote(parts.path).removeprefix("/api/v4")
                seen = Seen(self.command, path, query, dict(self.headers), body)
                self._send(stub._answer(seen))

            do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815  (http.server's names)

            def _send(self, reply: Reply) -> None:
                time.sleep(reply.delay)
                if reply.drop:
                    self.close_connection = True
                    return
                body = (
                    reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
                )
                self.send_response(reply.status)
                self.send_header("Content-Type", reply.kind)
                for name, value in {"Content-Length": str(len(body)), **reply.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def handle(self) -> None:
                with suppress(ConnectionError):
                    super().handle()

            def log_message(self, *_: object) -> None:
                pass

        return Handler


class Answers:
    """Answers as GitLab gives them, cut down to the keys that a hotfix reads."""

    sha = "5f2c0d0c8f0b5f8a3a2e6f9f0c1d2e3f4a5b6c7d"
    other_sha = "0123456789012345678901234567890123456789"
    user: ClassVar = {
        "id": 7,
        "username": "ada",
        "name": "Ada",
        "state": "active",
        "web_url": "https://x/ada",
    }

    def project(self, **more: object) -> dict[str, object]:
        return {
            "id": 11,
            "path_with_namespace": "group/app",
            "default_branch": "main",
            "http_url_to_repo": "http://127.0.0.1/group/app.git",
            "web_url": "https://x/group/app",
            "merge_method": "ff",
            "archived": False,
            "permissions": {"project_access": None, "group_access": {"access_level": 40}},
        } | more

    def merge_request(self, iid: int = 812, **more: object) -> dict[str, object]:
        return {
            "id": 1000 + iid,
            "iid": iid,
            "title": "Fix",
            "state": "merged",
            "author": self.user,
            "target_branch": "main",
            "web_url": f"https://x/group/app/-/merge_requests/{iid}",
            "sha": self.sha,
            "merge_commit_sha": self.other_sha,
            "squash_commit_sha": None,
            "merged_at": "2026-03-01T10:00:00.123+01:00",
        } | more

    def pipeline(self, number: int = 5, **more: object) -> dict[str, object]:
        return {
            "id": number,
            "iid": 1,
            "project_id": 11,
            "ref": "release",
            "sha": self.sha,
            "status": "running",
            "source": "api",
            "web_url": "https://x/p/5",
            "created_at": "2026-03-01T10:00:00Z",
        } | more

    def job(self, number: int = 9, **more: object) -> dict[str, object]:
        return {
            "id": number,
            "name": "deploy-production",
            "stage": "deploy",
            "status": "manual",
            "allow_failure": True,
            "web_url": "https://x/j/9",
            "pipeline": {"id": 5, "project_id": 11},
            "user": self.user,
            "started_at": None,
            "finished_at": None,
        } | more

    def deployment(self, number: int = 3, **more: object) -> dict[str, object]:
        finished = self.job(status="success", finished_at="2026-03-01T12:00:00Z")
        return {
            "id": number,
            "iid": number,
            "ref": "release",
            "sha": self.sha,
            "status": "success",
            "created_at": "2026-03-01T11:00:00Z",
            "updated_at": "2026-03-01T12:30:00Z",
            "user": self.user,
            "environment": {"id": 2, "name": "production"},
            "deployable": finished,
        } | more

    def issue(self, iid: int = 42, **more: object) -> dict[str, object]:
        return {
            "id": 900 + iid,
            "iid": iid,
            "title": "Outage",
            "description": "<!-- hotfix: inc-1 -->",
            "state": "opened",
            "web_url": "https://x/i/42",
            "updated_at": "2026-03-01T10:00:00Z",
            "issue_type": "incident",
            "severity": "HIGH",
        } | more


class StillClock(SystemClock):
    """A clock that notes how long it was told to sleep, and is there at once."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return super().monotonic() + sum(self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.fixture
def make_stub() -> Iterator[Callable[[], Stub]]:
    made: list[Stub] = []

    def make() -> Stub:
        made.append(Stub())
        return made[-1]

    yield make
    for stub in made:
        stub.close()


@pytest.fixture
def stub(make_stub: Callable[[], Stub]) -> Stub:
    return make_stub()


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def token() -> str:
    return TOKEN


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def forge(stub: Stub, clock: StillClock) -> GitLabForge:
    return GitLabForge(stub.url, TOKEN, timeout=0.5, clock=clock)


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "GIT_SSL_CAINFO", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Serve the example, and hold all that was said to GitLab's own document in the end."""
    with Sandbox(seed.example()) as sandbox:
        yield sandbox
        contract = Contract()
        for exchange in sandbox.requests:
            contract.check(exchange)


@pytest.fixture
def forge_of(sandbox: Sandbox, clock: StillClock) -> Callable[[str], Forge]:
    """Give the forge of one of the example's people."""
    return lambda who: GitLabForge(sandbox.url, seed.TOKENS[who], clock=clock)
