"""Routes: the server, the caller, the project, its members and protections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hotfix.sandbox import ci
from hotfix.sandbox.ci_inputs import ConfigurationError
from hotfix.sandbox.entities import ci as ci_entities
from hotfix.sandbox.entities import common, git
from hotfix.sandbox.refusals import not_found
from hotfix.sandbox.rest.calls import Answer, Call, Page
from hotfix.sandbox.rest.routing import Result, route
from hotfix.sandbox.users import DEVELOPER, MAINTAINER, REPORTER

if TYPE_CHECKING:
    from hotfix.sandbox.projects import ProtectedBranch, ProtectedEnvironment
    from hotfix.sandbox.users import User


@route("GET", "/metadata")
@route("GET", "/version")
def metadata(call: Call) -> Result:
    """Tell the server's version."""
    return common.metadata(call.world)


@route("GET", "/user")
def current_user(call: Call) -> Result:
    """Tell whose token this is."""
    return common.current_user(call.world, call.user)


@route("GET", "/personal_access_tokens/self", scoped=False)
def current_token(call: Call) -> Result:
    """Tell what the token may do."""
    return common.token(call.token, call.world.clock.now())


@route("GET", "/users")
def users(call: Call) -> Result:
    """Find users by name."""
    name = call.text("username")
    found = [user for user in call.world.users.values() if name in ("", user.username)]
    return Page(found, lambda user: common.user(call.world, user))


@route("GET", "/users/<user_id>")
def user(call: Call) -> Result:
    """Show an account."""
    found = call.world.users.get(call.integer("user_id"))
    if found is None:
        raise not_found("User")
    return common.account(call.world, found)


@route("GET", "/projects/<project>")
def project(call: Call) -> Result:
    """Show a project."""
    return common.project(call.world, call.project, call.user)


@route("GET", "/projects/<project>/members/all")
def members(call: Call) -> Result:
    """List the members, inherited ones included."""
    people = [one for one in call.world.users.values() if call.project.access_level(one)]
    return Page(people, lambda one: _member(call, one))


@route("GET", "/projects/<project>/members/all/<user_id>")
def member(call: Call) -> Result:
    """Show one member, inherited or not."""
    found = call.world.users.get(call.integer("user_id"))
    if found is None or not call.project.access_level(found):
        raise not_found()
    return _member(call, found)


def _member(call: Call, who: User) -> dict[str, Any]:
    return common.member(call.world, who, call.project.access_level(who))


@route("GET", "/groups/<group>/members/<user_id>")
def group_member(call: Call) -> Result:
    """Show one member of the group itself; to members only, as of a private group."""
    group = call.world.groups.get(call.segments["group"])
    if group is None or not call.world.sees(call.user, group):
        raise not_found("Group")
    found = call.world.users.get(call.integer("user_id"))
    level = group.members.get(found.id) if found is not None else None
    if found is None or level is None:
        raise not_found()
    return common.member(call.world, found, level)


@route("GET", "/projects/<project>/protected_branches", level=REPORTER)
def protected_branches(call: Call) -> Result:
    """List the protection rules, wildcards as they are written."""
    search = call.text("search")
    rules = [rule for rule in call.project.protected_branches if search in rule.name]
    return Page(rules, git.protected_branch)


@route("GET", "/projects/<project>/protected_branches/<name>", level=REPORTER)
def protected_branch(call: Call) -> Result:
    """Show the rule of exactly that name; a wildcard that matches it does not answer."""
    name = call.segments["name"]
    found: ProtectedBranch | None = next(
        (rule for rule in call.project.protected_branches if rule.name == name), None
    )
    if found is None:
        raise not_found()
    return git.protected_branch(found)


@route("GET", "/projects/<project>/push_rule", level=MAINTAINER)
def push_rule(call: Call) -> Result:
    """Show the push rule; there is none on the free tier."""
    if call.world.tier == "free":
        raise not_found()
    return Answer(call.project.push_rule)


@route("GET", "/projects/<project>/protected_environments", level=REPORTER)
def protected_environments(call: Call) -> Result:
    """List the protected environments; the free tier has none."""
    return Page(_protected_environments(call), ci_entities.protected_environment)


@route("GET", "/projects/<project>/protected_environments/<name>", level=REPORTER)
def protected_environment(call: Call) -> Result:
    """Show the protection of one environment."""
    for rule in _protected_environments(call):
        if rule.name == call.segments["name"]:
            return ci_entities.protected_environment(rule)
    raise not_found()


def _protected_environments(call: Call) -> list[ProtectedEnvironment]:
    if call.world.tier == "free":
        raise not_found()
    return call.project.protected_environments


@route("GET", "/projects/<project>/freeze_periods", level=REPORTER)
def freeze_periods(call: Call) -> Result:
    """List the times in which deployments should rest."""
    return Page(call.project.freeze_periods, ci_entities.freeze_period)


@route("GET", "/projects/<project>/templates/<kind>", level=REPORTER)
def templates(call: Call) -> Result:
    """List the templates that lie in the repository."""
    names = sorted(_templates(call))
    return Page(names, lambda name: {"key": name, "name": name})


@route("GET", "/projects/<project>/templates/<kind>/<name>", level=REPORTER)
def template(call: Call) -> Result:
    """Show one template."""
    name = call.segments["name"]
    found = _templates(call)
    if name not in found:
        raise not_found("Template")
    return {"name": name, "content": found[name]}


def _templates(call: Call) -> dict[str, str]:
    folders = {"issues": "issue_templates", "merge_requests": "merge_request_templates"}
    folder = f".gitlab/{folders.get(call.segments['kind'], '')}/"
    repository = call.project.repository
    head = repository.branch(repository.default_branch)
    if head is None:
        return {}
    return {
        path.removeprefix(folder).removesuffix(".md"): repository.blob(entry.sha).decode()
        for path, entry in repository.files(head).items()
        if path.startswith(folder) and path.endswith(".md")
    }


@route("POST", "/projects/<project>/ci/lint", level=DEVELOPER)
def lint(call: Call) -> Result:
    """Check a CI file; input values cannot be checked this way."""
    return _lint(call.required("content"))


@route("GET", "/projects/<project>/ci/lint", level=REPORTER)
def lint_own(call: Call) -> Result:
    """Check the project's own CI file."""
    repository = call.project.repository
    name = call.text("content_ref") or call.text("sha") or repository.default_branch
    sha = repository.resolve(name)
    entry = repository.files(sha).get(ci.PATH) if sha is not None else None
    if entry is None:
        raise not_found()
    return _lint(repository.blob(entry.sha).decode())


def _lint(text: str) -> Result:
    answer = {"valid": True, "errors": [], "warnings": [], "merged_yaml": text, "includes": []}
    try:
        ci.documents(text)
    except ConfigurationError as error:
        return answer | {"valid": False, "errors": error.messages}
    return answer
