"""C git's own server on loopback, to be asked by the transport under test."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from hotfix.identifiers import Sha

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "T"), ("EMAIL", "t@example.com"), ("DATE", "1700000000 +0000"))
}


class GitServer:
    """``git http-backend`` on loopback for one bare repository, asking for the token."""

    def __init__(self, root: Path, token: str) -> None:
        self.root = root
        self.bare = root / "app.git"
        self._blobs: dict[str, str] = {}
        self._trees: dict[str, Sha] = {}
        self.requests: list[str] = []
        self.connections = 0
        self.more_headers: list[tuple[str, str]] = []
        self.transform: Callable[[bytes], bytes] = lambda body: body
        self.moved: tuple[str, str] | None = None
        self.busy: list[tuple[int, list[tuple[str, str]]]] = []
        self.is_exact = False
        self.version = 2
        self.authorized = "Basic " + base64.b64encode(f"oauth2:{token}".encode()).decode()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.gitlab = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.url = f"{self.gitlab}/app.git"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.git("init", "--bare", "--quiet", "--initial-branch=main", str(self.bare))
        self.git("-C", str(self.bare), "config", "http.receivepack", "true")

    def set_up(self, *, exact: bool, version: int = 2) -> None:
        """Give single objects by their ids or not, in protocol 2 or 0."""
        self.is_exact, self.version = exact, version
        for key in ("allowFilter", "allowAnySHA1InWant"):
            self.git("-C", str(self.bare), "config", f"uploadpack.{key}", str(exact).lower())

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def git(self, *arguments: str, text: str = "") -> str:
        sealed = {"PATH": os.environ["PATH"], "HOME": str(self.root), "GIT_CONFIG_NOSYSTEM": "1"}
        done = subprocess.run(
            ["git", *arguments],
            input=text,
            capture_output=True,
            text=True,
            check=True,
            env=sealed | IDENTITY,
        )
        return done.stdout.strip()

    def commit(self, content: str, *parents: str) -> Sha:
        at = ("-C", str(self.bare))
        blob = self.git(*at, "hash-object", "-w", "--stdin", text=content)
        tree = self.git(*at, "mktree", text=f"100644 blob {blob}\tfile\n")
        links = [word for parent in parents for word in ("-p", parent)]
        return Sha(self.git(*at, "commit-tree", tree, *links, "-m", content))

    def snapshot(self, message: str, files: Mapping[str, str], *parents: str) -> Sha:
        """Commit these files and no others."""
        links = [word for parent in parents for word in ("-p", parent)]
        at = ("-C", str(self.bare))
        return Sha(self.git(*at, "commit-tree", self.tree(files), *links, "-m", message))

    def tree(self, files: Mapping[str, str]) -> Sha:
        """Store these files; folders in their paths become trees."""
        at = ("-C", str(self.bare))
        lines: list[str] = []
        folders: dict[str, dict[str, str]] = {}
        for path, text in files.items():
            name, slash, rest = path.partition("/")
            if slash:
                folders.setdefault(name, {})[rest] = text
            else:
                lines.append(f"100644 blob {self._blob(text)}\t{name}")
        lines += [f"040000 tree {self.tree(inner)}\t{name}" for name, inner in folders.items()]
        text = "\n".join(lines) + "\n"
        if text not in self._trees:
            self._trees[text] = Sha(self.git(*at, "mktree", text=text))
        return self._trees[text]

    def _blob(self, text: str) -> str:
        if text not in self._blobs:
            at = ("-C", str(self.bare))
            self._blobs[text] = self.git(*at, "hash-object", "-w", "--stdin", text=text)
        return self._blobs[text]

    def ref(self, name: str, sha: str) -> None:
        self.git("-C", str(self.bare), "update-ref", name, sha)

    def at(self, name: str) -> str:
        return self.git("-C", str(self.bare), "rev-parse", "--verify", name)

    def hook(self, name: str, script: str) -> None:
        path = self.bare / "hooks" / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def _handler(server) -> type[BaseHTTPRequestHandler]:  # noqa: N805  (two selves)
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body in one piece: two would wait for each other

            def setup(self) -> None:
                server.connections += 1
                super().setup()

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                path, _, query = self.path.partition("?")
                server.requests.append(f"{self.command} {self.path}")
                if self.headers.get("Authorization") != server.authorized:
                    self._reply(401, [("Content-Type", "text/plain")], b"HTTP Basic: Access denied")
                    return
                if server.moved is not None and path.startswith(server.moved[0]):
                    place = self.path.replace(*server.moved)
                    self._reply(301, [("Location", place)], b"moved")
                    return
                if server.busy and self.command == "POST":
                    status, headers = server.busy.pop()
                    self._reply(status, headers, b"busy")
                    return
                environment = {
                    "PATH": os.environ["PATH"],
                    "HOME": str(server.root),
                    "GIT_PROJECT_ROOT": str(server.root),
                    "GIT_HTTP_EXPORT_ALL": "1",
                    "REMOTE_USER": "oauth2",
                    "REQUEST_METHOD": self.command,
                    "PATH_INFO": path,
                    "QUERY_STRING": query,
                    "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                    "CONTENT_LENGTH": str(len(body)),
                    "GIT_PROTOCOL": self.headers.get("Git-Protocol", "") if server.version else "",
                }
                done = subprocess.run(
                    ["git", "http-backend"],
                    input=body,
                    capture_output=True,
                    check=False,
                    env=environment,
                )
                head, _, rest = done.stdout.partition(b"\r\n\r\n")
                headers = [
                    (name, value.strip())
                    for name, _, value in (
                        line.partition(":") for line in head.decode().splitlines()
                    )
                ]
                status = int(dict(headers).get("Status", "200 OK").split()[0])
                self._reply(status, [*headers, *server.more_headers], server.transform(rest))

            do_GET = do_POST = _serve  # noqa: N815  (http.server's names)

            def _reply(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler
