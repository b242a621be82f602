"""Whether the pipelines would start, and the production job be there to be pressed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from hotfix.doctor.access import role_named
from hotfix.doctor.model import Check
from hotfix.forge.types import DEVELOPER, MAINTAINER
from hotfix.text import counted, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from hotfix.doctor.access import Caller
    from hotfix.forge.types import Job, Project
    from hotfix.freeze import FreezePeriod
    from hotfix.plan.model import Finding
    from hotfix.spec.model import Target
    from hotfix.spec.policy import Policy

_VARIABLES: Final = {"developer": DEVELOPER, "maintainer": MAINTAINER, "owner": 50}
"""GitLab's names for the least role; beside them it has ``no_one_allowed``."""
_FREEZE: Final = "deploy-freeze"
"""Told by the check of freezes, whatever the policy decides of them."""
_OF_INPUTS: Final = frozenset({"orchestration-inputs", "forbidden-action"})


def plan_checks(
    target: Target, orchestrator: Project, blockers: Sequence[Finding], plan_command: str
) -> Iterator[Check]:
    """Tell what the plan of a target is refused for, and that the orchestrator takes the inputs."""
    own = [each for each in blockers if each.target == target.project and each.code != _FREEZE]
    yield from blocker_checks(own, plan_command)
    if not any(each.code in _OF_INPUTS for each in own):
        inputs = ", ".join(f"`{one_line(name, 60)}`" for name in target.orchestration.inputs)
        yield Check(
            id="orchestration-inputs",
            target=target.project,
            outcome="passed",
            message=f"{orchestrator.path} takes {inputs} as they would be sent.",
        )


def blocker_checks(blockers: Sequence[Finding], plan_command: str) -> Iterator[Check]:
    """Tell what a plan is refused for, by the plan's own codes."""
    for each in blockers:
        yield Check(
            id=each.code,
            target=each.target,
            outcome="failed",
            message=each.message,
            hint=each.hint,
            command=plan_command,
        )


def variables_check(project: Project, caller: Caller) -> Check:
    """Tell whether the caller may send variables to the orchestration pipeline."""
    check = partial(Check, id="pipeline-variables", target=project.path)
    page = f"{project.web_url}/-/settings/ci_cd#js-cicd-variables-settings"
    hint = (
        "Send inputs instead (`orchestration: {send_as: inputs}`), or have a Maintainer change the "
        "least role that may use pipeline variables."
    )
    role = project.variables_role
    if role is None or caller.level is None:
        return check(
            outcome="not-seen",
            message="Which role may send pipeline variables: GitLab shows it to Maintainers only.",
            hint=hint,
            look_at=page,
        )
    needed = _VARIABLES.get(role)
    if needed is not None and caller.level >= needed:
        return check(outcome="passed", message=f"{caller.named} may send pipeline variables.")
    least = f"it takes {role_named(needed)}" if needed else f"the setting is `{one_line(role, 60)}`"
    return check(
        outcome="failed",
        message=f"{caller.named} may not send pipeline variables: {least}.",
        hint=hint,
        look_at=page,
    )


def job_check(
    target: Target, project: Project, name: str, jobs: Sequence[Job], *, is_manual: bool | None
) -> Check:
    """Look for the production job among those of the last pipelines of release.

    Apply presses it by its name, and refuses to begin where it starts by itself.
    """
    check = partial(Check, id="deploy-job", target=target.project)
    shown = f"`{one_line(name, 80)}`"
    if not jobs:
        return check(
            outcome="not-seen",
            message=f"Whether a pipeline of {one_line(target.release_branch, 80)} has a job "
            f"{shown}: none was shown.",
            hint="Compare the name with the pipeline of the last release.",
            look_at=f"{project.web_url}/-/pipelines",
        )
    found = [job for job in jobs if job.name == name]
    if not found:
        others = ", ".join(dict.fromkeys(one_line(job.name, 60) for job in jobs))
        return check(
            outcome="failed",
            message=f"Neither the last pipeline that deployed nor release's newest has {shown}.",
            hint=f"Set `deploy: {{job: NAME}}` to one of: {one_line(others, 300)}.",
            look_at=f"{project.web_url}/-/pipelines/{jobs[0].pipeline_id}",
        )
    if is_manual is None:
        return check(
            outcome="not-seen",
            message=f"{shown} is there; whether it waits for a person, GitLab does not show.",
            hint="See that it has `when: manual` in the project's CI file.",
            look_at=found[0].web_url,
        )
    if not is_manual:
        return check(
            outcome="failed",
            message=f"{shown} starts by itself: production would be deployed without a yes.",
            hint="Give it `when: manual` in the project's CI file, or name the manual job under "
            "`deploy`.",
            look_at=found[0].web_url,
        )
    return check(outcome="passed", message=f"{shown} is there, and waits for a person.")


def outdated_check(target: Target, project: Project) -> Check:
    """Tell what "Prevent outdated deployment jobs" means for a hotfix and its way back.

    Both are pipelines of their own, the newest there are, so it never stops them.
    """
    check = partial(
        Check,
        id="forward-deployment",
        target=target.project,
        look_at=f"{project.web_url}/-/settings/ci_cd#js-general-pipeline-settings",
    )
    if project.refuses_outdated is None:
        return check(
            outcome="not-seen",
            message="Whether outdated deployment jobs are refused: GitLab shows it to Maintainers "
            "only.",
            hint="Where they are not, nobody may press an older pipeline's production job after "
            "the hotfix.",
        )
    if not project.refuses_outdated:
        return check(
            outcome="warning",
            message="Outdated deployment jobs may run: an older pipeline's production job, pressed "
            "after the hotfix, takes it off production again.",
            hint="Have a Maintainer set `Prevent outdated deployment jobs`, or cancel the older "
            "pipelines.",
        )
    if project.reruns_outdated is False:
        return check(
            outcome="warning",
            message="An old deployment job cannot run again: GitLab's own rollback button would be "
            "refused.",
            hint="Go back by `hotfix rollback`, which starts a pipeline of its own.",
        )
    return check(
        outcome="passed", message="Older deployment jobs cannot overtake the hotfix.", look_at=None
    )


def freeze_checks(
    target: Target,
    project: Project,
    periods: Sequence[FreezePeriod] | None,
    policy: Policy,
    now: datetime,
) -> Iterator[Check]:
    """Tell of a deploy freeze in force. GitLab stops nothing in one; some CI files do."""
    check = partial(
        Check,
        id="deploy-freeze",
        target=target.project,
        look_at=f"{project.web_url}/-/settings/ci_cd#js-deploy-freeze-settings",
    )
    if periods is None:
        yield check(
            outcome="not-seen",
            message="Whether a deploy freeze is in force: GitLab does not show it to this token.",
            hint="Ask a Maintainer.",
        )
    now_in_force, unread = policy.freezes_in_force(periods, now)
    for period in unread:
        yield check(
            outcome="not-seen",
            message=f"Whether the deploy freeze {period} is in force cannot be told here.",
            hint="Read it yourself.",
        )
    for freeze in now_in_force:
        yield check(
            outcome="failed" if policy.decision("deploy-freeze") == "deny" else "warning",
            message=f"{freeze}.",
            hint="Have whoever owns it agree to the hotfix, or wait.",
        )
    if periods is not None and not unread and not now_in_force:
        known = len(periods) + len(policy.freezes)
        told = f" (of {counted(known, 'freeze')} known)" if known else ""
        yield check(
            outcome="passed", message=f"No deploy freeze is in force now{told}.", look_at=None
        )
