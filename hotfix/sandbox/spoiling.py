"""What a client gets when a fault strikes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Literal

from werkzeug.wrappers import Response

from hotfix.clock import SystemClock
from hotfix.sandbox.faults import TOO_MANY_REQUESTS
from hotfix.sandbox.smart_http import receive_pack

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from werkzeug.wrappers import Request

    from hotfix.sandbox.faults import Fault, Kind


@dataclass(frozen=True, slots=True)
class Sent:
    """What goes back to the client, and how far: ``cut`` half-way, or not at all."""

    response: Response
    ends: Literal["whole", "cut", "reset"] = "whole"
    is_spoilt: bool = True
    """Whether it is another answer than the one that GitLab gives."""


def spoilt(fault: Fault, request: Request, answer: Response | None) -> Sent | None:
    """Return what is sent in place of the answer, ``None`` where that stays as it is.

    There is no answer yet where the fault strikes before the effect. A delay is the wire's, not
    the world's, so it is waited for in real time.
    """
    if fault.seconds and fault.status != TOO_MANY_REQUESTS:
        SystemClock().sleep(fault.seconds)
    return _SPOILERS[fault.kind](fault, request, answer)


def _status(fault: Fault, request: Request, answer: Response | None) -> Sent:
    del request, answer
    status = HTTPStatus(fault.status or HTTPStatus.INTERNAL_SERVER_ERROR)
    said, kind = json.dumps({"message": f"{status.value} {status.phrase}"}), "application/json"
    if status == TOO_MANY_REQUESTS:
        said, kind = "Retry later\n", "text/plain"
    elif status > HTTPStatus.INTERNAL_SERVER_ERROR:
        said, kind = _page(f"GitLab is not responding ({status.value})"), "text/html"
    if fault.body is not None:
        said, kind = fault.body.decode("latin-1"), "text/plain"
    response = Response(said.encode("latin-1"), status.value, content_type=kind)
    if status == TOO_MANY_REQUESTS:
        response.headers["Retry-After"] = f"{fault.seconds:g}"
    if fault.location is not None:
        response.headers["Location"] = fault.location
    return Sent(response)


def _reset(fault: Fault, request: Request, answer: Response | None) -> Sent:
    del fault, request, answer
    return Sent(Response(status=0), "reset")


def _slow(fault: Fault, request: Request, answer: Response | None) -> None:
    del fault, request, answer


def _truncated(fault: Fault, request: Request, answer: Response | None) -> Sent:
    del fault, request
    whole = answer or Response(b'{"id": 1, "message": "cut"}', content_type="application/json")
    length = len(whole.get_data())
    whole.set_data(whole.get_data()[: length // 2])
    whole.headers["Content-Length"] = str(length)
    return Sent(whole, "cut")


def _garbage(fault: Fault, request: Request, answer: Response | None) -> Sent:
    del request, answer
    body = fault.body if fault.body is not None else b'\xff\xfe{"id": 12, "sta\x00'
    return Sent(Response(body, content_type="application/json"))


def _wrong_json(fault: Fault, request: Request, answer: Response | None) -> Sent:
    del request, answer
    body = fault.body if fault.body is not None else b'{"message": {"status": ["ok"]}, "id": null}'
    return Sent(Response(body, content_type="application/json"))


def _html(fault: Fault, request: Request, answer: Response | None) -> Sent:
    del fault, request, answer
    return Sent(Response(_page("Maintenance"), content_type="text/html"))


def _login_page(fault: Fault, request: Request, answer: Response | None) -> Sent:
    del fault, answer
    response = Response(_page("Redirecting"), HTTPStatus.FOUND, content_type="text/html")
    response.headers["Location"] = f"{request.host_url}users/sign_in"
    return Sent(response)


def _token_expired(fault: Fault, request: Request, answer: Response | None) -> Sent | None:
    del fault, request
    if answer is not None:
        return None  # it took effect and is answered; the next request is refused
    return Sent(_plain(HTTPStatus.UNAUTHORIZED, "401 Unauthorized"))


def _vanished(fault: Fault, request: Request, answer: Response | None) -> Sent | None:
    del fault, request
    return None if answer is not None else Sent(not_found())


def _hook_declined(fault: Fault, request: Request, answer: Response | None) -> Sent:
    del answer
    said = fault.body.decode() if fault.body is not None else "Commits are frozen this week."
    body = receive_pack.declined(request.get_data(), said)
    return Sent(Response(body, content_type="application/x-git-receive-pack-result"))


_SPOILERS: Final[Mapping[Kind, Callable[[Fault, Request, Response | None], Sent | None]]] = {
    "status": _status,
    "reset": _reset,
    "slow": _slow,
    "truncated": _truncated,
    "garbage": _garbage,
    "wrong-json": _wrong_json,
    "html": _html,
    "login-page": _login_page,
    "token-expired": _token_expired,
    "vanished": _vanished,
    "hook-declined": _hook_declined,
}


def sign_in() -> Response:
    """Show the page that people sign in on."""
    return Response(_page("Sign in · GitLab"), content_type="text/html")


def not_found() -> Response:
    """Answer for what vanished."""
    return _plain(HTTPStatus.NOT_FOUND, "404 Not found")


def _plain(status: HTTPStatus, message: str) -> Response:
    return Response(json.dumps({"message": message}), status, content_type="application/json")


def _page(title: str) -> str:
    return f"<!DOCTYPE html>\n<html><head><title>{title}</title></head><body></body></html>\n"
