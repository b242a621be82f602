"""The few script lines that the embedded GitLab acts on; all others only appear in the job's log.

``sandbox require TEXT TEXT``
    fails the job unless both are the same.
``sandbox merge-default-branch PROJECT BRANCH``
    merges a project's default branch into another: what the cut-off action of an orchestrator does.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from hotfix.sandbox.history import is_ancestor, merge_base
from hotfix.sandbox.merging import ConflictError, merge_trees
from hotfix.sandbox.repositories import Signature

if TYPE_CHECKING:
    from datetime import datetime

    from hotfix.sandbox.pipelines import Job
    from hotfix.sandbox.world import World


def run(world: World, job: Job, at: datetime) -> str | None:
    """Carry out a job's script; returns why it failed."""
    for line in job.definition.script:
        job.trace.append(f"$ {line}")
        words = shlex.split(line, comments=True)
        problem = None
        match words:
            case ["sandbox", "require", one, other]:
                problem = None if one == other else f"ERROR: {one!r} is not {other!r}"
            case ["sandbox", "merge-default-branch", project, branch]:
                problem = _merge_default_branch(world, job, project, branch, at)
            case ["sandbox", *_]:
                problem = f"ERROR: not a command of the sandbox: {line}"
        if problem is not None:
            return problem
    return None


def _merge_default_branch(
    world: World, job: Job, path: str, branch: str, at: datetime
) -> str | None:
    project = world.find_project(path)
    if project is None or not project.may_push(job.user, branch):
        return f"ERROR: {path}: not found, or no right to push to {branch}"
    repository = project.repository
    ours, theirs = repository.branch(branch), repository.branch(project.default_branch)
    if ours is None or theirs is None:
        return f"ERROR: {path} has no branch {branch}"
    if is_ancestor(repository, theirs, ours):
        return None
    base = merge_base(repository, ours, theirs)
    if base is None:
        return f"ERROR: {branch} and {project.default_branch} have nothing in common"
    try:
        tree = merge_trees(repository, *(repository.tree(sha) for sha in (base, ours, theirs)))
    except ConflictError as conflict:
        return f"ERROR: conflicts in {conflict}"
    who = Signature(job.user.name, job.user.email, at)
    message = f"Merge branch '{project.default_branch}' into '{branch}'\n"
    merged = repository.write_commit(tree, [ours, theirs], message, who)
    repository.update_ref(f"refs/heads/{branch}", ours, merged)
    return None
