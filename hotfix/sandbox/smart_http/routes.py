"""The three requests of smart HTTP, with GitLab's answers to callers who may not."""

from __future__ import annotations

import gzip
import re
from typing import TYPE_CHECKING, Final

from werkzeug.wrappers import Response

from hotfix.sandbox.pipelines import Order, create
from hotfix.sandbox.refusals import Refusal
from hotfix.sandbox.smart_http import receive_pack, upload_pack
from hotfix.sandbox.users import DEVELOPER, REPORTER

if TYPE_CHECKING:
    from werkzeug.wrappers import Request

    from hotfix.sandbox.projects import Project
    from hotfix.sandbox.users import Token, User
    from hotfix.sandbox.world import World

PATH: Final = re.compile(
    r"/(?P<project>.+?)(?:\.git)?/(?P<verb>info/refs|git-upload-pack|git-receive-pack)"
)


def respond(  # noqa: PLR0911 - one return for each way of saying no
    world: World, request: Request, token: Token | None
) -> Response:
    """Answer a request below a repository's URL."""
    match = PATH.fullmatch(request.path)
    if match is None:
        return _text(404, "Not Found")
    verb = match["verb"]
    service = request.args.get("service", "") if verb == "info/refs" else verb
    if service not in (upload_pack.SERVICE, receive_pack.SERVICE):
        return _text(403, "Git clients over dumb HTTP are not served.")
    if token is None:
        response = _text(401, ACCESS_DENIED)
        response.headers["WWW-Authenticate"] = 'Basic realm="GitLab"'
        return response
    project = world.find_project(match["project"])
    if project is None or not project.access_level(token.user):
        return _text(404, NO_PROJECT)
    refusal = _refusal(token, project.access_level(token.user), service)
    if refusal is not None:
        return _text(403, refusal)
    version = 2 if "version=2" in request.headers.get("Git-Protocol", "").split(":") else 0
    if verb == "info/refs":
        return _greeting(project, service, version)
    return _answer(world, project, token.user, request, version)


ACCESS_DENIED: Final = (
    "HTTP Basic: Access denied. The provided password or token is incorrect or your account has "
    "2FA enabled and you must use a personal access token instead of a password."
)
NO_PROJECT: Final = (
    "The project you were looking for could not be found or you don't have permission to view it."
)


def _refusal(token: Token, level: int, service: str) -> str | None:
    if service == upload_pack.SERVICE:
        allowed = token.may_fetch() and level >= REPORTER
        return None if allowed else "You are not allowed to download code from this project."
    if not token.may_push():
        return "You are not allowed to upload code."
    return None if level >= DEVELOPER else "You are not allowed to push code to this project."


def _greeting(project: Project, service: str, version: int) -> Response:
    if service == upload_pack.SERVICE:
        body = upload_pack.greeting(project.repository, version)
    else:
        body = receive_pack.greeting(project.repository)
    return _git(body, f"application/x-{service}-advertisement")


def _answer(world: World, project: Project, user: User, request: Request, version: int) -> Response:
    body = request.get_data()
    if request.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    if request.path.endswith(upload_pack.SERVICE):
        answer = upload_pack.answer(project.repository, body, version)
        return _git(answer, "application/x-git-upload-pack-result")
    push = receive_pack.receive(project, user, body)
    for update in push.moved:
        _after_push(world, project, user, update.ref, skip="ci.skip" in push.options)
    return _git(push.answer, "application/x-git-receive-pack-result")


def _after_push(world: World, project: Project, user: User, ref: str, *, skip: bool) -> None:
    branch = ref.removeprefix("refs/heads/")
    head = project.repository.branch(branch)
    now = world.clock.now()
    project.last_activity_at = now
    if head is None or branch == ref:
        return
    for merge_request in project.merge_requests.values():
        if (merge_request.state, merge_request.source_branch) == ("opened", branch):
            merge_request.sha, merge_request.updated_at = head, now
    if project.settings.pipelines_on_push and not skip:
        try:
            create(world, project, user, Order(branch, "push"), now)
        except Refusal:
            return  # A branch whose CI file makes no pipeline has none; the push stands.


def _git(body: bytes, content_type: str) -> Response:
    response = Response(body, content_type=content_type)
    response.headers["Cache-Control"] = "no-cache"
    return response


def _text(status: int, text: str) -> Response:
    return Response(f"{text}\n", status, content_type="text/plain")
