"""Pipelines, jobs, bridges, environments, deployments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotfix.sandbox.artifacts import has_files
from hotfix.sandbox.deployments import approves, last_deployment, pending
from hotfix.sandbox.entities.common import JSON, maybe_moment, moment, seconds_between, user
from hotfix.sandbox.entities.git import access_level, commit

if TYPE_CHECKING:
    from hotfix.sandbox.deployments import Approval, Deployment, Environment
    from hotfix.sandbox.pipelines import Job, Pipeline
    from hotfix.sandbox.projects import (
        ApprovalRule,
        FreezePeriod,
        Project,
        ProtectedEnvironment,
    )
    from hotfix.sandbox.users import User
    from hotfix.sandbox.world import World


def pipeline_basic(world: World, found: Pipeline) -> JSON:
    """Render a pipeline as other answers mention it."""
    return {
        "id": found.id,
        "iid": found.iid,
        "project_id": found.project.id,
        "sha": found.sha,
        "ref": found.ref,
        "status": found.status,
        "source": found.source,
        "created_at": moment(found.created_at),
        "updated_at": moment(found.updated_at),
        "web_url": f"{world.url}/{found.project.path}/-/pipelines/{found.id}",
    }


def pipeline_listed(world: World, found: Pipeline) -> JSON:
    """Render a pipeline as in lists: no user, no times of running."""
    return pipeline_basic(world, found) | {"name": found.name}


def pipeline(world: World, found: Pipeline) -> JSON:
    """Render one pipeline."""
    status = found.status
    path = f"/{found.project.path}/-/pipelines/{found.id}"
    return pipeline_listed(world, found) | {
        "before_sha": found.before_sha,
        "tag": False,
        "yaml_errors": None,
        "user": user(world, found.user),
        "started_at": maybe_moment(found.started_at),
        "finished_at": maybe_moment(found.finished_at),
        "committed_at": None,
        "duration": _whole(seconds_between(found.started_at, found.finished_at)),
        "queued_duration": _whole(seconds_between(found.created_at, found.started_at)),
        "coverage": None,
        "archived": False,
        "detailed_status": {
            "icon": f"status_{status}",
            "text": {"success": "Passed"}.get(status, status.capitalize()),
            "label": {"success": "passed"}.get(status, status),
            "group": status,
            "tooltip": status,
            "has_details": True,
            "details_path": path,
            "illustration": None,
            "favicon": f"/assets/ci_favicons/favicon_status_{status}.png",
        },
    }


def _whole(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds)


def _job_basic(world: World, found: Job) -> JSON:
    running = found.pipeline
    answer = {
        "id": found.id,
        "status": found.status,
        "stage": found.definition.stage,
        "name": found.name,
        "ref": running.ref,
        "tag": False,
        "coverage": None,
        "allow_failure": found.definition.allow_failure,
        "created_at": moment(found.created_at),
        "started_at": maybe_moment(found.started_at),
        "finished_at": maybe_moment(found.finished_at),
        "erased_at": None,
        "duration": seconds_between(found.started_at, found.finished_at),
        "queued_duration": seconds_between(found.queued_at, found.started_at),
        "user": user(world, found.user),
        "commit": commit(world, running.project, running.sha),
        "pipeline": pipeline_basic(world, running),
        "web_url": f"{world.url}/{running.project.path}/-/jobs/{found.id}",
        "project": {"ci_job_token_scope_enabled": False},
    }
    if found.status == "failed":
        answer["failure_reason"] = found.failure_reason
    return answer


def job(world: World, found: Job) -> JSON:
    """Render a job."""
    return _job_basic(world, found) | {
        "artifacts": [_archive()] if has_files(found, world.clock.now()) else [],
        "runner": None,
        "runner_manager": None,
        "artifacts_expire_at": maybe_moment(found.artifacts_expire_at),
        "archived": False,
        "tag_list": [],
    }


def job_basic(world: World, found: Job) -> JSON:
    """Render a job as resource groups list it."""
    return _job_basic(world, found)


def _archive() -> JSON:
    return {"file_type": "archive", "size": 1024, "filename": "artifacts.zip", "file_format": "zip"}


def bridge(world: World, found: Job) -> JSON:
    """Render a trigger job with the pipeline below it."""
    below = found.downstream
    return _job_basic(world, found) | {
        "downstream_pipeline": pipeline_basic(world, below) if below is not None else None
    }


def job_or_bridge(world: World, found: Job) -> JSON:
    """Render whichever it is."""
    return bridge(world, found) if found.is_bridge else job(world, found)


def environment_basic(found: Environment) -> JSON:
    """Render an environment as deployments mention it."""
    return {
        "id": found.id,
        "name": found.name,
        "slug": found.slug,
        "external_url": found.external_url,
        "created_at": moment(found.created_at),
        "updated_at": moment(found.updated_at),
    }


def environment_listed(found: Environment) -> JSON:
    """Render an environment as in lists: without its last deployment."""
    return environment_basic(found) | {
        "tier": found.tier,
        "state": "available",
        "auto_stop_at": None,
        "description": None,
        "auto_stop_setting": "always",
    }


def environment(world: World, project: Project, found: Environment) -> JSON:
    """Render one environment, with its last successful deployment."""
    last = last_deployment(project, found)
    answer: JSON = environment_listed(found)
    answer["last_deployment"] = deployment(world, last) if last is not None else None
    return answer


def deployment(world: World, found: Deployment) -> JSON:
    """Render a deployment; it names no time of finishing, its job does."""
    return {
        "id": found.id,
        "iid": found.iid,
        "ref": found.ref,
        "sha": found.sha,
        "created_at": moment(found.created_at),
        "updated_at": moment(found.updated_at),
        "user": user(world, found.user),
        "environment": environment_basic(found.environment),
        "deployable": job(world, found.job) if found.job is not None else None,
        "status": found.status,
    }


def deployment_detail(world: World, project: Project, found: Deployment) -> JSON:
    """Render one deployment; on Premium with its approvals."""
    answer = deployment(world, found)
    if world.tier == "free":
        return answer
    rules = [
        _summed_up(world, project, found, rule)
        for protected in project.protected_environments
        if protected.name == found.environment.name
        for rule in protected.approval_rules
    ]
    return answer | {
        "pending_approval_count": pending(project, found),
        "approvals": [approval(world, one) for one in found.approvals],
        "approval_summary": {"rules": rules},
    }


def _summed_up(world: World, project: Project, found: Deployment, rule: ApprovalRule) -> JSON:
    own = [one for one in found.approvals if approves(project, rule, one.user)]
    return _granted(1, rule.by) | {
        "required_approvals": rule.required,
        "group_inheritance_type": "0",
        "deployment_approvals": [approval(world, one) for one in own],
    }


def approval(world: World, found: Approval) -> JSON:
    """Render a person's word on a deployment."""
    return {
        "user": user(world, found.user),
        "status": found.status,
        "created_at": moment(found.created_at),
        "comment": found.comment,
    }


def protected_environment(found: ProtectedEnvironment) -> JSON:
    """Render a protection rule of an environment."""
    granted: list[int | User] = [found.deploy_level, *found.deployers]
    return {
        "name": found.name,
        "deploy_access_levels": [
            _granted(number, by) | {"group_inheritance_type": 0}
            for number, by in enumerate(granted, start=1)
        ],
        "required_approval_count": found.required_approvals,
        "approval_rules": [
            _granted(number, rule.by)
            | {"required_approvals": rule.required, "group_inheritance_type": 0}
            for number, rule in enumerate(found.approval_rules, start=1)
        ],
    }


def _granted(number: int, by: int | User) -> JSON:
    if isinstance(by, int):
        return access_level(number, by)
    return access_level(number, 0) | {
        "access_level": None,
        "access_level_description": by.name,
        "user_id": by.id,
    }


def freeze_period(found: FreezePeriod) -> JSON:
    """Render a time in which deployments should rest."""
    return {
        "id": found.id,
        "freeze_start": found.freeze_start,
        "freeze_end": found.freeze_end,
        "cron_timezone": found.cron_timezone,
        "created_at": moment(found.created_at),
        "updated_at": moment(found.created_at),
    }
