"""The embedded GitLab as a WSGI application: who asks, which part answers, what goes wrong."""

from __future__ import annotations

import base64
import json
import socket
import struct
import uuid
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from werkzeug.http import http_date
from werkzeug.wrappers import Request, Response

from hotfix.clock import SystemClock
from hotfix.sandbox import graphql, request_log
from hotfix.sandbox.faults import Faults
from hotfix.sandbox.rest import (
    deployments,
    general,
    issues,
    jobs,
    merge_requests,
    pipelines,
    repository,
    routing,
    terraform,
)
from hotfix.sandbox.smart_http import routes as git_routes

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

    from hotfix.sandbox.faults import Fault
    from hotfix.sandbox.users import Token
    from hotfix.sandbox.world import World

# Importing a module of routes registers them; named here so that none is forgotten.
ROUTES: Final = (
    deployments,
    general,
    issues,
    jobs,
    merge_requests,
    pipelines,
    repository,
    terraform,
)
HEALTH: Final = "/-/services/"
_RESET: Final = 0


class Application:
    """Answers every request with the world locked, and notes it."""

    def __init__(self, world: World) -> None:
        """Serve a world."""
        self.world = world
        self.requests = request_log.RequestLog()
        self.faults = Faults()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        request = Request(environ)
        request.get_data()
        token = _token(self.world, request)
        striking = self.faults.striking(request.method, environ["RAW_URI"])
        fault = _struck(striking, "before")
        response = fault or self._respond(request, token)
        if fault is None:
            fault = _struck(striking, "after")
            response = fault or response
        response.headers["Date"] = http_date(self.world.clock.now())
        response.headers["x-request-id"] = uuid.uuid4().hex
        self._note(request, token, response, struck=fault is not None)
        if response.status_code == _RESET:
            _reset(environ)
        return response(environ, start_response)

    def _respond(self, request: Request, token: Token | None) -> Response:
        with self.world.lock:
            self.world.advance()
            if request.path.startswith(f"{routing.PREFIX}/"):
                response = routing.respond(self.world, request, token)
            elif request.path == "/api/graphql":
                response = graphql.respond(self.world, request, token)
            elif request.path.startswith(HEALTH):
                response = _health(self.world, request.path)
            else:
                response = git_routes.respond(self.world, request, token)
        return response

    def _note(
        self, request: Request, token: Token | None, response: Response, *, struck: bool
    ) -> None:
        raw = request.environ["RAW_URI"].partition("?")[0]
        self.requests.append(
            request_log.Request(
                method=request.method,
                path=unquote(raw),
                query=request.query_string.decode(),
                body=request.get_data(),
                status=response.status_code,
                user=token.user.username if token is not None else None,
                raw_path=raw,
                content_type=request.mimetype,
                answer=response.get_data(),
                answer_type=response.mimetype or "",
                struck=struck,
            )
        )


def _token(world: World, request: Request) -> Token | None:
    """Find the token, in whichever of the places that GitLab looks at it is sent."""
    secret = request.headers.get("PRIVATE-TOKEN", "")
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer":
        secret = value
    elif kind.lower() == "basic":
        try:
            secret = base64.b64decode(value).decode().partition(":")[2]
        except ValueError:
            return None
    found = world.tokens.get(secret.strip())
    return found if found is not None and found.active(world.clock.now()) else None


def _health(world: World, path: str) -> Response:
    """Answer for a project's own service: how it is, and which commit it runs."""
    name = path.removeprefix(HEALTH).removesuffix("/health")
    try:
        project, sha = world.project(name), world.production_sha(name)
    except KeyError:
        return Response("Not Found\n", 404, content_type="text/plain")
    body = json.dumps({"status": project.service_status, "version": sha})
    status = 200 if project.service_status == "ok" else 503
    return Response(body, status, content_type="application/json")


def _struck(faults: list[Fault], when: str) -> Response | None:
    """Return what the client gets instead of the answer; waits where there is a delay."""
    for fault in faults:
        if fault.when != when:
            continue
        if fault.delay:
            SystemClock().sleep(fault.delay)  # the wire's delay, not the world's
        if fault.reset:
            return Response(status=_RESET)
        if fault.status is not None:
            response = Response(fault.body, fault.status, content_type="text/plain")
            response.headers.update(fault.headers)
            return response
    return None


def _reset(environ: WSGIEnvironment) -> None:
    """Cut the connection: nothing is sent, and closing it resets it."""
    connection: socket.socket = environ["werkzeug.socket"]
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise ConnectionAbortedError
