"""GitLab's JSON made our own types: one function per type, each with the keys that it reads.

The keys are those of GitLab's API entities, as its OpenAPI document has them.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING
from urllib.parse import quote

from hotfix.forge.protocol import ForgeError
from hotfix.forge.types import (
    Account,
    Approval,
    Approvals,
    Bridge,
    CommitSummary,
    Deployment,
    Environment,
    Issue,
    Job,
    MergeRequest,
    Note,
    Pipeline,
    Project,
    Tag,
    User,
)

if TYPE_CHECKING:
    from hotfix.forge.answer import Answer


def user(answer: Answer) -> User:
    """Read a user."""
    addresses = map(answer.maybe_text, ("email", "commit_email"))
    return User(
        answer.number("id"),
        answer.text("username"),
        answer.text("name"),
        frozenset(address for address in addresses if address),
    )


def project(answer: Answer) -> Project:
    """Read a project; its role is the higher one of the project's own and the group's."""
    return Project(
        id=answer.number("id"),
        path=answer.text("path_with_namespace"),
        default_branch=answer.text("default_branch"),
        http_url_to_repo=answer.text("http_url_to_repo"),
        web_url=answer.text("web_url"),
        merge_method=answer.maybe_text("merge_method") or "merge",
        archived=answer.flag("archived"),
        access_level=_access_level(answer),
        refuses_outdated=answer.maybe_flag("ci_forward_deployment_enabled"),
        reruns_outdated=answer.maybe_flag("ci_forward_deployment_rollback_allowed"),
        variables_role=answer.maybe_text("ci_pipeline_variables_minimum_override_role"),
    )


def commit(answer: Answer) -> CommitSummary:
    """Read a commit."""
    return CommitSummary(
        sha=answer.sha("id"),
        title=answer.text("title"),
        author_name=answer.text("author_name"),
        committer_name=answer.text("committer_name"),
        committed_at=answer.maybe_time("committed_date"),
        web_url=answer.text("web_url"),
    )


def merge_request(answer: Answer) -> MergeRequest:
    """Read a merge request, from a list or alone."""
    return MergeRequest(
        iid=answer.number("iid"),
        title=answer.text("title"),
        state=answer.text("state"),
        author=user(answer.child("author")),
        target_branch=answer.text("target_branch"),
        web_url=answer.text("web_url"),
        sha=answer.maybe_sha("sha"),
        merge_commit_sha=answer.maybe_sha("merge_commit_sha"),
        squash_commit_sha=answer.maybe_sha("squash_commit_sha"),
        merged_at=answer.maybe_time("merged_at"),
    )


def approvals(answer: Answer) -> Approvals:
    """Read who approved; ``approved`` itself is left alone, see ``Forge.approvals``."""
    by = answer.children("approved_by")
    return Approvals(
        tuple(Approval(user(one.child("user")), one.maybe_time("approved_at")) for one in by),
        answer.maybe_number("approvals_left"),
    )


def pipeline(answer: Answer) -> Pipeline:
    """Read a pipeline, from a list, a bridge or alone."""
    return Pipeline(
        id=answer.number("id"),
        project_id=answer.number("project_id"),
        ref=answer.text("ref"),
        sha=answer.sha("sha"),
        status=answer.text("status"),
        source=answer.maybe_text("source") or "unknown",
        web_url=answer.text("web_url"),
        created_at=answer.maybe_time("created_at"),
        user=_maybe_user(answer),
        name=answer.maybe_text("name"),
    )


def job(answer: Answer) -> Job:
    """Read a job, from a list, a deployment or alone."""
    own, commit = answer.maybe_child("pipeline"), answer.maybe_child("commit")
    return Job(
        id=answer.number("id"),
        name=answer.text("name"),
        stage=answer.text("stage"),
        status=answer.text("status"),
        allow_failure=answer.flag("allow_failure"),
        web_url=answer.maybe_text("web_url") or "",
        pipeline_id=own.number("id") if own else None,
        user=_maybe_user(answer),
        started_at=answer.maybe_time("started_at"),
        finished_at=answer.maybe_time("finished_at"),
        failure_reason=answer.maybe_text("failure_reason"),
        sha=commit.sha("id") if commit else None,
        artifacts_expire_at=answer.maybe_time("artifacts_expire_at"),
        has_archive=_has_archive(answer),
        pipeline_sha=own.maybe_sha("sha") if own else None,
    )


def _has_archive(answer: Answer) -> bool:
    """Tell whether a job's artifacts are listed; some answers leave the list out."""
    listed = answer.maybe_children("artifacts")
    return any(each.text("file_type") == "archive" for each in listed or ())


def bridge(answer: Answer) -> Bridge:
    """Read a trigger job with the pipeline that it made, if it did."""
    downstream = answer.maybe_child("downstream_pipeline")
    return Bridge(
        id=answer.number("id"),
        name=answer.text("name"),
        status=answer.text("status"),
        failure_reason=answer.maybe_text("failure_reason"),
        downstream=pipeline(downstream) if downstream else None,
    )


def deployment(answer: Answer) -> Deployment:
    """Read a deployment; GitLab's API tells its end on the job that made it (``deployable``)."""
    made_by = answer.maybe_child("deployable")
    made = job(made_by) if made_by else None
    return Deployment(
        id=answer.number("id"),
        iid=answer.number("iid"),
        ref=answer.text("ref"),
        sha=answer.sha("sha"),
        status=answer.text("status"),
        created_at=answer.maybe_time("created_at"),
        finished_at=made.finished_at if made else None,
        job=made,
        environment=place.text("name") if (place := answer.maybe_child("environment")) else None,
    )


def tag(answer: Answer, project_url: str) -> Tag:
    """Read a tag; GitLab tells no address of its page, so it is put together."""
    name, is_release = answer.text("name"), answer.maybe_child("release") is not None
    page = "releases" if is_release else "tags"
    return Tag(
        name=name,
        sha=answer.child("commit").sha("id"),
        created_at=answer.maybe_time("created_at"),
        is_release=is_release,
        web_url=f"{project_url}/-/{page}/{quote(name, safe='')}",
    )


def environment(answer: Answer, project_url: str) -> Environment:
    """Read an environment; GitLab tells no address of its page, so it is put together."""
    last = answer.maybe_child("last_deployment")
    return Environment(
        id=answer.number("id"),
        name=answer.text("name"),
        slug=answer.text("slug"),
        web_url=f"{project_url}/-/environments/{answer.number('id')}",
        external_url=answer.maybe_text("external_url"),
        last_deployment=deployment(last) if last else None,
    )


def issue(answer: Answer) -> Issue:
    """Read an issue; GitLab writes the severity in capitals and takes it in small letters."""
    severity = answer.maybe_text("severity")
    return Issue(
        id=answer.number("id"),
        iid=answer.number("iid"),
        title=answer.text("title"),
        description=answer.maybe_text("description") or "",
        state=answer.text("state"),
        web_url=answer.text("web_url"),
        updated_at=answer.maybe_time("updated_at"),
        severity=severity.lower() if severity else None,
    )


def note(answer: Answer) -> Note:
    """Read a comment; a GitLab that does not say whether it was imported is taken at that."""
    return Note(
        id=answer.number("id"),
        body=answer.text("body"),
        author=user(answer.child("author")),
        created_at=answer.time("created_at"),
        updated_at=answer.time("updated_at"),
        is_system=answer.flag("system"),
        is_imported=answer.flag("imported"),
    )


def account(answer: Answer) -> Account:
    """Read what an account is; of a bot GitLab says so, of a blocked one its state."""
    return Account(
        user=user(answer), is_bot=answer.flag("bot"), is_active=answer.text("state") == "active"
    )


def file(answer: Answer) -> bytes:
    """Read a file's bytes, which GitLab gives in base64."""
    try:
        return base64.b64decode(answer.text("content"), validate=True)
    except (binascii.Error, ValueError):
        raise ForgeError(
            f"GitLab's answer to {answer.asked} holds no base64", status=200, code="gitlab-answer"
        ) from None


def _maybe_user(answer: Answer) -> User | None:
    child = answer.maybe_child("user")
    return user(child) if child else None


def _access_level(answer: Answer) -> int | None:
    permissions = answer.maybe_child("permissions")
    if permissions is None:
        return None
    grants = [permissions.maybe_child(f"{kind}_access") for kind in ("project", "group")]
    return max((grant.number("access_level") for grant in grants if grant), default=None)
