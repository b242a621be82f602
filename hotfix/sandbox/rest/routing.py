"""The table of routes, and the way of a request through it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote, urlencode

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Response

from hotfix.sandbox.refusals import Refusal, forbidden, invalid, unauthorized
from hotfix.sandbox.rest.calls import Answer, Call, Page
from hotfix.sandbox.users import GUEST

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.wrappers import Request

    from hotfix.sandbox.users import Token
    from hotfix.sandbox.world import World

Result = Answer | Page[Any] | dict[str, Any]

PREFIX: Final = "/api/v4"
READ: Final = frozenset({"GET", "HEAD"})
_MAP: Final = Map(strict_slashes=False, merge_slashes=False)


def route(
    method: str, path: str, *, level: int = GUEST, scoped: bool = True
) -> Callable[[Callable[[Call], Result]], Callable[[Call], Result]]:
    """Register a route.

    ``level`` is the role that the caller needs in the project of the path. A route that is not
    ``scoped`` takes any token that is known.
    """

    def register(handler: Callable[[Call], Result]) -> Callable[[Call], Result]:
        def guarded(call: Call) -> Result:
            if scoped:
                call.need_scope(write=method not in READ)
            if "project" in call.segments and call.project.access_level(call.user) < level:
                raise forbidden()
            return handler(call)

        _MAP.add(Rule(path, methods=[method], endpoint=guarded))
        return handler

    return register


def respond(world: World, request: Request, token: Token | None) -> Response:
    """Answer a request to the API."""
    try:
        # The path is matched as it was sent: an encoded slash is a part of its segment.
        raw = request.environ["RAW_URI"].partition("?")[0].removeprefix(PREFIX)
        handler, segments = _MAP.bind("").match(raw, method=request.method)
    except HTTPException:
        return _json(404, {"error": "404 Not Found"})
    try:
        if token is None:
            raise unauthorized()
        segments = {name: unquote(value) for name, value in segments.items()}
        call = Call(world, request, token, segments, _parameters(request))
        return _rendered(request, handler(call))
    except Refusal as refusal:
        return _json(refusal.status, refusal.body)


def _parameters(request: Request) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for source in (request.args, request.form):
        for key, values in source.lists():
            many = key.endswith("[]") or len(values) > 1
            found[key.removesuffix("[]")] = values if many else values[0]
    if request.mimetype == "application/json" and request.get_data():
        try:
            body = json.loads(request.get_data())
        except ValueError:
            raise invalid("body", "is not valid JSON") from None
        if not isinstance(body, dict):
            raise invalid("body", "is invalid")
        found.update(body)
    return found


def _rendered(request: Request, result: Result) -> Response:
    if isinstance(result, Page):
        return _page(request, result)
    if not isinstance(result, Answer):
        return _json(200, result)
    if result.content_type == "application/json":
        response = _json(result.status, result.body)
    else:
        response = Response(result.body, result.status, content_type=result.content_type)
    response.headers.update(result.headers)
    return response


def _json(status: int, body: object) -> Response:
    if status == 204:  # noqa: PLR2004 - No Content
        return Response(status=status)
    return Response(json.dumps(body), status, content_type="application/json")


def _page(request: Request, page: Page[Any]) -> Response:
    number, size = (_positive(request, *one) for one in (("page", 1), ("per_page", 20)))
    size = min(size, 100)
    total = len(page.items)
    last = max(1, -(-total // size))
    shown = page.items[(number - 1) * size : number * size]
    response = _json(200, [page.render(item) for item in shown])
    following = number + 1 if number < last else None
    previous = number - 1 if number > 1 else None
    counts = {
        "x-next-page": following,
        "x-page": number,
        "x-per-page": size,
        "x-prev-page": previous,
        "x-total": total,
        "x-total-pages": last,
    }
    response.headers.update({name: str(value or "") for name, value in counts.items()})
    response.headers["x-total"] = str(total)
    links = {"prev": previous, "next": following, "first": 1, "last": last}
    response.headers["Link"] = ", ".join(
        f'<{_page_url(request, target, size)}>; rel="{relation}"'
        for relation, target in links.items()
        if target is not None
    )
    return response


def _positive(request: Request, name: str, default: int) -> int:
    value = request.args.get(name, str(default))
    if not value.isdecimal() or int(value) < 1:
        raise invalid(name, "does not have a valid value")
    return int(value)


def _page_url(request: Request, page: int, size: int) -> str:
    path = request.environ["RAW_URI"].partition("?")[0]
    rest = [(k, v) for k, v in request.args.items(multi=True) if k not in ("page", "per_page")]
    query = urlencode([*rest, ("page", page), ("per_page", size)], quote_via=quote)
    return f"{request.host_url.rstrip('/')}{path}?{query}"
