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

from hotfix.sandbox import graphql, request_log, spoiling
from hotfix.sandbox.fault_routes import Asked
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
from hotfix.sandbox.spoiling import Sent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
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
        asked = Asked(request.method, environ["RAW_URI"], request.get_data())
        token = _token(self.world, request)
        sent = self._sent(request, asked, token)
        response = sent.response
        response.headers["Date"] = http_date(self.world.clock.now())
        response.headers["x-request-id"] = uuid.uuid4().hex
        self._note(request, token, sent)
        if sent.ends == "reset":
            _reset(environ)
        answer = response(environ, start_response)
        return _cut(answer) if sent.ends == "cut" else answer

    def _sent(self, request: Request, asked: Asked, token: Token | None) -> Sent:
        """Answer, unless a fault stands in for the answer, before the effect or after it."""
        struck = self.faults.strike(asked)
        if self.faults.is_gone(asked.path):
            return Sent(spoiling.not_found())
        usable = None if token is not None and self.faults.is_expired(token) else token
        for fault in (each for each in struck if each.when == "before"):
            self._begin_lasting(fault, asked, token)
            if (sent := spoiling.spoilt(fault, request, None)) is not None:
                return sent
        response = self._respond(request, usable)
        for fault in (each for each in struck if each.when == "after"):
            self._begin_lasting(fault, asked, token)
            if (sent := spoiling.spoilt(fault, request, response)) is not None:
                return sent
        return Sent(response, is_spoilt=False)

    def _begin_lasting(self, fault: Fault, asked: Asked, token: Token | None) -> None:
        if fault.kind == "token-expired":
            self.faults.expire(token)
        elif fault.kind == "vanished":
            self.faults.vanish(asked.path)

    def _respond(self, request: Request, token: Token | None) -> Response:
        with self.world.lock:
            self.world.advance()
            if request.path.startswith(f"{routing.PREFIX}/"):
                response = routing.respond(self.world, request, token)
            elif request.path == "/api/graphql":
                response = graphql.respond(self.world, request, token)
            elif request.path.startswith(HEALTH):
                response = _health(self.world, request.path)
            elif request.path == "/users/sign_in":
                response = spoiling.sign_in()
            else:
                response = git_routes.respond(self.world, request, token)
        return response

    def _note(self, request: Request, token: Token | None, sent: Sent) -> None:
        response = sent.response
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
                struck=sent.is_spoilt,
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
        project = world.project(name)
        sha = project.service_version or world.production_sha(name)
    except KeyError:
        return Response("Not Found\n", 404, content_type="text/plain")
    body = json.dumps({"status": project.service_status, "version": sha})
    status = 200 if project.service_status == "ok" else 503
    return Response(body, status, content_type="application/json")


def _reset(environ: WSGIEnvironment) -> None:
    """Cut the connection: nothing is sent, and closing it resets it."""
    connection: socket.socket = environ["werkzeug.socket"]
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise ConnectionAbortedError


def _cut(answer: Iterable[bytes]) -> Iterator[bytes]:
    """Send what there is of a body that was announced longer, and hang up."""
    yield from answer
    raise ConnectionAbortedError
