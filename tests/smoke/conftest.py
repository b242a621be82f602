from __future__ import annotations

import json
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hotfix.smoke.run import run
from hotfix.spec.model import SmokeCheck

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hotfix.clock import Clock
    from hotfix.smoke.manual import Ask
    from hotfix.smoke.result import SmokeResult
    from tests.conftest import FixedClock

DEPLOYED = "5f2c0d0c8f0b5f8a3a2e6f9f0c1d2e3f4a5b6c7d"
DATA = Path(__file__).parent / "data"


class Site:
    """An HTTP server on loopback that answers as it is told and remembers what it was asked."""

    def __init__(self) -> None:
        self.status = 200
        self.headers: dict[str, str] = {}
        self.body = b'{"status": "ok"}'
        self.statuses: list[int] = []
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.url = ""

    def answer(self) -> int:
        return self.statuses.pop(0) if self.statuses else self.status


@pytest.fixture
def data() -> Path:
    return DATA


@pytest.fixture
def site() -> Iterator[Site]:
    told = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.requests.append((self.command, self.path, dict(self.headers)))
            self.send_response(told.answer())
            for name, value in {"Content-Length": str(len(told.body)), **told.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                try:
                    self.wfile.write(told.body)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

        do_HEAD = do_GET  # noqa: N815  (as above)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (its name there)
            """Keep the test's output quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    told.url = f"http://127.0.0.1:{server.server_port}"
    yield told
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[socket.socket], object]], int]]:
    """Return a function that serves each connection as it is told, and tells the port."""
    listeners: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def start(talk: Callable[[socket.socket], object]) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        threads.append(threading.Thread(target=_accept, args=(listener, talk)))
        threads[-1].start()
        return int(listener.getsockname()[1])

    yield start
    for listener in listeners:
        # Closing alone does not wake up a thread that accepts.
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
    for thread in threads:
        thread.join()


def _accept(listener: socket.socket, talk: Callable[[socket.socket], object]) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            try:
                talk(connection)
            except OSError:
                continue


@pytest.fixture
def closed_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture
def serve_tls(
    serve: Callable[[Callable[[socket.socket], object]], int],
) -> Callable[[str], int]:
    """Return a function that serves TLS with one of the certificates in ``data``."""

    def start(certificate: str) -> int:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(DATA / f"{certificate}.pem", DATA / "server-key.pem")

        def talk(connection: socket.socket) -> None:
            with context.wrap_socket(connection, server_side=True) as secured:
                while request := secured.recv(4096):
                    if request.endswith(b"\r\n\r\n"):
                        secured.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")

        return serve(talk)

    return start


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust the authority of the test certificates, as an operator would."""
    monkeypatch.setenv("SSL_CERT_FILE", str(DATA / "ca.pem"))


@pytest.fixture
def check(clock: FixedClock) -> Callable[..., SmokeResult]:
    """Return a function that runs a check as a spec declares it, once unless it says otherwise."""

    def start(
        *,
        using: Clock = clock,
        ask: Ask | None = None,
        deployed: str = DEPLOYED,
        **declared: object,
    ) -> SmokeResult:
        parsed = SmokeCheck.model_validate_json(
            json.dumps({"name": "health", "retries": 0, **declared})
        )
        return run(parsed, clock=using, ask=ask, operator="ada", deployed=deployed)

    return start
