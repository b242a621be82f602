"""Parts that many answers share: moments, users, signatures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from hotfix.sandbox.users import MAINTAINER

if TYPE_CHECKING:
    from hotfix.sandbox.projects import Project
    from hotfix.sandbox.users import Token, User
    from hotfix.sandbox.world import World

JSON = dict[str, Any]


def moment(at: datetime) -> str:
    """Write a moment as GitLab does, in UTC with milliseconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def maybe_moment(at: datetime | None) -> str | None:
    """Write a moment that may not have come yet."""
    return None if at is None else moment(at)


def git_moment(seconds: int, zone: int) -> str:
    """Write the date of a commit in the zone that it was made in."""
    at = datetime.fromtimestamp(seconds, timezone(timedelta(seconds=zone)))
    return at.isoformat(timespec="milliseconds")


def seconds_between(start: datetime | None, end: datetime | None) -> float | None:
    """Tell a duration."""
    return None if start is None or end is None else (end - start).total_seconds()


def user(world: World, who: User) -> JSON:
    """Render a user as others see them."""
    return {
        "id": who.id,
        "username": who.username,
        "public_email": "",
        "name": who.name,
        "state": who.state,
        "locked": False,
        "avatar_url": f"{world.url}/uploads/user/avatar/{who.id}/avatar.png",
        "web_url": f"{world.url}/{who.username}",
    }


def current_user(world: World, who: User) -> JSON:
    """Render the caller."""
    return user(world, who) | {
        "email": who.email,
        "commit_email": who.email,
        "public_email": "",
        "bot": who.bot,
        "can_create_project": True,
        "created_at": moment(who.created_at),
        "confirmed_at": moment(who.created_at),
        "two_factor_enabled": True,
        "external": False,
    }


def account(world: World, who: User) -> JSON:
    """Render an account by itself, as anybody may see it."""
    return user(world, who) | {"bot": who.bot, "created_at": moment(who.created_at)}


def member(world: World, who: User, level: int) -> JSON:
    """Render a member, with the role they have."""
    return user(world, who) | {
        "access_level": level,
        "created_at": moment(who.created_at),
        "expires_at": None,
        "membership_state": "active",
    }


def token(found: Token, now: datetime) -> JSON:
    """Render the token that the request was made with."""
    return {
        "id": found.id,
        "name": found.name,
        "revoked": found.revoked,
        "created_at": moment(found.created_at),
        "description": "",
        "scopes": sorted(found.scopes),
        "user_id": found.user.id,
        "last_used_at": moment(now),
        "active": found.active(now),
        "expires_at": found.expires_at.date().isoformat() if found.expires_at else None,
        "last_used_ips": [],
    }


def metadata(world: World) -> JSON:
    """Render the server."""
    return {
        "version": "18.9.0",
        "revision": "5a17cb0c0de",
        "kas": {"enabled": False},
        "enterprise": world.tier != "free",
    }


def project(world: World, found: Project, who: User) -> JSON:
    """Render a project with its settings; the CI ones show to Maintainers only."""
    settings = found.settings
    url = f"{world.url}/{found.path}"
    role, group_role = found.members.get(who.id), found.group.members.get(who.id)
    answer: JSON = {
        "id": found.id,
        "description": found.description,
        "name": found.name,
        "name_with_namespace": f"{found.group.path} / {found.name}",
        "path": found.name,
        "path_with_namespace": found.path,
        "created_at": moment(found.created_at),
        "default_branch": found.default_branch,
        "tag_list": [],
        "topics": [],
        "ssh_url_to_repo": f"git@{world.url.split('/')[2].split(':')[0]}:{found.path}.git",
        "http_url_to_repo": f"{url}.git",
        "web_url": url,
        "readme_url": f"{url}/-/blob/{found.default_branch}/README.md",
        "forks_count": 0,
        "star_count": 0,
        "last_activity_at": moment(found.last_activity_at or found.created_at),
        "visibility": "private",
        "namespace": {
            "id": found.group.id,
            "name": found.group.path,
            "path": found.group.path,
            "kind": "group",
            "full_path": found.group.path,
            "web_url": f"{world.url}/groups/{found.group.path}",
        },
        "empty_repo": not found.repository.refs,
        "archived": settings.archived,
        "repository_object_format": "sha1",
        "issues_enabled": True,
        "merge_requests_enabled": True,
        "jobs_enabled": True,
        "creator_id": found.creator.id,
        "open_issues_count": sum(issue.state == "opened" for issue in found.issues.values()),
        "merge_method": settings.merge_method,
        "squash_option": settings.squash_option,
        "permissions": {
            "project_access": _access(role),
            "group_access": _access(group_role),
        },
    }
    if found.access_level(who) >= MAINTAINER:
        answer |= {
            "ci_config_path": "",
            "ci_forward_deployment_enabled": settings.ci_forward_deployment_enabled,
            "ci_forward_deployment_rollback_allowed": (
                settings.ci_forward_deployment_rollback_allowed
            ),
            "ci_pipeline_variables_minimum_override_role": (
                settings.ci_pipeline_variables_minimum_override_role
            ),
            "ci_push_repository_for_job_token_allowed": False,
        }
    return answer


def _access(level: int | None) -> JSON | None:
    return None if level is None else {"access_level": level, "notification_level": 3}
