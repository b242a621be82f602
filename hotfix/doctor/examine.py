"""The looks of ``hotfix doctor``: reads only, and nothing is started."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from hotfix.clock import timestamp
from hotfix.doctor import access, pipelines, reach
from hotfix.doctor.access import Caller
from hotfix.doctor.commits import push_rule_checks
from hotfix.doctor.model import ADVICE, OUTCOMES, QUESTION, Check, Examination
from hotfix.forge.protocol import ForgeError
from hotfix.forge.types import DEVELOPER, MAINTAINER
from hotfix.parallel import Together, in_parallel
from hotfix.plan.elsewhere import production_job
from hotfix.plan.make import plan_from
from hotfix.plan.observe import observe
from hotfix.smoke.run import run
from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hotfix.clock import Clock
    from hotfix.forge.protocol import Forge
    from hotfix.forge.types import Job, Project, Server, User
    from hotfix.freeze import FreezePeriod
    from hotfix.plan.model import Plan, PlannedCommit
    from hotfix.plan.observe import Seen, SeenTarget
    from hotfix.smoke.result import SmokeResult
    from hotfix.spec.model import SmokeCheck, Spec, Target

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Commands:
    """The command lines that are offered to be typed next."""

    again: str
    plan: str


def examine(
    spec: Spec, forge: Forge, clock: Clock, *, tool_version: str, commands: Commands
) -> Examination:
    """Look for all that would keep a hotfix from going through. Changes nothing.

    What GitLab does not show is ``not-seen``. Raises ``ForgeError`` only where nothing can be told:
    GitLab is not there, or does not take the token.
    """
    user, at = forge.current_user(), clock.now()
    planned = _unless_refused(partial(_planned, spec, forge, clock, tool_version))
    examined = _Examined(spec, forge, clock, commands, user)
    checks = examined.checks(planned)
    return Examination(
        format="doctor/1",
        hotfix=spec.id,
        gitlab=forge.url,
        tool_version=tool_version,
        by=user.username,
        at=timestamp(at),
        question=QUESTION,
        advice=ADVICE,
        again=commands.again,
        checks=_in_order(checks, commands),
    )


@dataclass(frozen=True, slots=True)
class _Planned:
    """What was seen for the plan, the plan, and the jobs of the last pipelines that deployed."""

    seen: Seen
    plan: Plan
    jobs: tuple[tuple[Job, ...], ...]
    manual: tuple[bool | None, ...]


def _planned(spec: Spec, forge: Forge, clock: Clock, tool_version: str) -> _Planned:
    """Make the plan: what would be sent and pushed is then the plan's own, and not guessed."""
    seen = observe(spec, forge, clock)
    plan = plan_from(spec, seen, forge, tool_version=tool_version).plan
    jobs = tuple(in_parallel(partial(_last_jobs, forge, each) for each in seen.targets))
    looks = zip(seen.targets, jobs, strict=True)
    manual = tuple(in_parallel(partial(_is_manual, forge, each, found) for each, found in looks))
    return _Planned(seen, plan, jobs, manual)


def _last_jobs(forge: Forge, seen: SeenTarget) -> tuple[Job, ...]:
    """List the jobs beside the one that deployed last.

    Where the production job is not among them, release's newest pipeline may have it: a new name
    comes with a new CI file.
    """
    last = seen.environment.last_deployment if seen.environment else None
    project, number = seen.target.project, last.job.pipeline_id if last and last.job else None
    jobs = forge.jobs(project, number) if number is not None else ()
    name = production_job(seen)
    if any(job.name == name for job in jobs):
        return jobs
    newest = forge.pipelines(project, ref=seen.target.release_branch, limit=1)
    more = [job for each in newest if each.id != number for job in forge.jobs(project, each.id)]
    return (*more, *jobs)


def _is_manual(forge: Forge, seen: SeenTarget, jobs: Sequence[Job]) -> bool | None:
    name = production_job(seen)
    found = next((job for job in jobs if job.name == name), None)
    return forge.is_manual(seen.target.project, found.id) if found else None


class _Examined:
    """Asks for what a plan does not need, all of it together, and judges the answers."""

    def __init__(
        self, spec: Spec, forge: Forge, clock: Clock, commands: Commands, user: User
    ) -> None:
        self._spec = spec
        self._forge = forge
        self._clock = clock
        self._commands = commands
        self._user = user
        self._together = Together()

    def checks(self, planned: _Planned | ForgeError) -> list[Check]:
        """Return what was found: the token's and the machine's first, then target by target."""
        forge, spec = self._forge, self._spec
        token = self._together.add(forge.token)
        server = self._together.add(lambda: (forge.server(), self._clock.now()))
        orchestrator = self._orchestrator()
        targets = [self._target(target, planned) for target in spec.targets]
        self._together.run()
        answered, at = server.result
        return [
            *access.token_checks(token.result, at, forge.url),
            reach.clock_check(answered, at),
            *_of_whole_plan(planned, self._commands),
            *orchestrator(),
            *(check for target in targets for check in target(answered)),
        ]

    def _orchestrator(self) -> Callable[[], Iterator[Check]]:
        """Add the looks at where the pipeline and the incident are made."""
        spec = self._spec
        project = self._project(spec.orchestration.project)
        incident = self._project(spec.incident.project)
        rules = self._ask(partial(self._forge.branch_rules, spec.orchestration.project))

        def judge() -> Iterator[Check]:
            found, other = project(), incident()
            if isinstance(found, ForgeError):
                yield _absent(spec.orchestration.project, found)
            else:
                caller = Caller(self._user, found.access_level)
                purpose = "start the orchestration pipeline"
                yield access.role_check(found, caller, needed=DEVELOPER, purpose=purpose)
                ref = spec.orchestration.ref or found.default_branch
                yield access.pipeline_check(found, ref, rules(), caller)
                if spec.orchestration.send_as == "variables":
                    yield pipelines.variables_check(found, caller)
            if spec.incident.project == spec.orchestration.project:
                return
            if isinstance(other, ForgeError):
                yield _absent(spec.incident.project, other)
            else:
                yield access.incident_check(other, Caller(self._user, other.access_level))

        return judge

    def _target(
        self, target: Target, planned: _Planned | ForgeError
    ) -> Callable[[Server | None], Iterator[Check]]:
        """Add the looks at a target; what is returned judges the answers."""
        project, smoke = self._project(target.project), self._smoke(target)
        rights, pushes = self._rights(target), self._pushes(target, planned)
        pipeline = self._pipeline(target, planned)

        def judge(server: Server | None) -> Iterator[Check]:
            found = project()
            if isinstance(found, ForgeError):
                yield _absent(target.project, found)
            else:
                yield from rights(found, server)
                yield from pushes(found, server)
                yield from pipeline(found)
            yield from smoke()

        return judge

    def _rights(self, target: Target) -> Callable[[Project, Server | None], Iterator[Check]]:
        branches = self._ask(partial(self._forge.branch_rules, target.project))
        environments = self._ask(partial(self._forge.protections, target.project))
        needed = MAINTAINER if target.lock == "terraform-state" else DEVELOPER
        purpose = "push to release and press the job"

        def judge(project: Project, server: Server | None) -> Iterator[Check]:
            caller = Caller(self._user, project.access_level)
            yield access.role_check(project, caller, needed=needed, purpose=purpose)
            yield access.push_check(target, project, branches(), caller)
            yield from access.deploy_checks(target, project, environments(), server, caller)

        return judge

    def _pushes(
        self, target: Target, planned: _Planned | ForgeError
    ) -> Callable[[Project, Server | None], Iterator[Check]]:
        rule = self._ask(partial(self._forge.push_rule, target.project))
        committer, user = self._spec.committer, self._user

        def judge(project: Project, server: Server | None) -> Iterator[Check]:
            commits = _commits(target, planned)
            yield from push_rule_checks(
                target, project, rule(), server, commits, committer=committer, user=user
            )

        return judge

    def _pipeline(
        self, target: Target, planned: _Planned | ForgeError
    ) -> Callable[[Project], Iterator[Check]]:
        freezes = self._freezes(target, planned)

        def judge(project: Project) -> Iterator[Check]:
            yield pipelines.outdated_check(target, project)
            yield from pipelines.freeze_checks(
                target, project, freezes(), self._spec.policy, self._clock.now()
            )
            yield from _of_plan(target, project, planned, self._commands)

        return judge

    def _freezes(
        self, target: Target, planned: _Planned | ForgeError
    ) -> Callable[[], tuple[FreezePeriod, ...] | None]:
        """Take what the plan was shown of deploy freezes, and ask where no plan could be made."""
        if isinstance(planned, ForgeError):
            return self._ask(partial(self._forge.freeze_periods, target.project))
        seen = (each for each in planned.seen.targets if each.target.project == target.project)
        shown = next(seen).elsewhere.freezes
        return lambda: None if isinstance(shown, ForgeError) else shown

    def _smoke(self, target: Target) -> Callable[[], Iterator[Check]]:
        asked = [
            self._together.add(partial(_tried, check, target, self._clock))
            for check in target.smoke_checks
        ]

        def judge() -> Iterator[Check]:
            for check, answer in zip(target.smoke_checks, asked, strict=True):
                yield reach.smoke_check(target, check, answer.result)

        return judge

    def _ask(self, look: Callable[[], T]) -> Callable[[], T | None]:
        """Add a look; what GitLab refuses in whatever way is not seen."""
        asked = self._together.add(partial(_unless_refused, look))

        def answered() -> T | None:
            return None if isinstance(asked.result, ForgeError) else asked.result

        return answered

    def _project(self, path: str) -> Callable[[], Project | ForgeError]:
        asked = self._together.add(partial(_unless_refused, partial(self._forge.project, path)))
        return lambda: asked.result


def _unless_refused(look: Callable[[], T]) -> T | ForgeError:
    """Return a refusal as a value; a GitLab that is not there is raised."""
    try:
        return look()
    except ForgeError as error:
        if not error.status:
            raise
        return error


def _tried(check: SmokeCheck, target: Target, clock: Clock) -> SmokeResult | None:
    """Make a check once, as production is now; no program is started, and nobody is asked."""
    if check.command is not None or check.manual is not None:
        return None
    runs = target.production_sha
    return run(check.once(), clock=clock, ask=None, operator="", deployed=runs)


def _absent(path: str, error: ForgeError) -> Check:
    return Check(
        id="project",
        target=path,
        outcome="failed",
        message=f"The project is not shown: {one_line(error.message, 300)}.",
        hint=error.hint or "Correct its path, or have the token's owner made a member.",
    )


def _of_whole_plan(planned: _Planned | ForgeError, commands: Commands) -> Iterator[Check]:
    """Tell that no plan can be made, or what it is refused for beside its targets."""
    if not isinstance(planned, ForgeError):
        whole = [each for each in planned.plan.blockers if each.target is None]
        yield from pipelines.blocker_checks(whole, commands.plan)
    else:
        yield Check(
            id="plan",
            target=None,
            outcome="failed",
            message=f"No plan can be made: {one_line(planned.message, 300)}.",
            hint=planned.hint,
            command=commands.plan,
        )


def _commits(target: Target, planned: _Planned | ForgeError) -> Sequence[PlannedCommit] | None:
    """Return a target's planned commits; ``None`` where there are not all of them."""
    if isinstance(planned, ForgeError):
        return None
    (found,) = (each for each in planned.plan.targets if each.project == target.project)
    return found.commits if found.after is not None else None


def _of_plan(
    target: Target, project: Project, planned: _Planned | ForgeError, commands: Commands
) -> Iterator[Check]:
    """Tell what the plan of a target shows: its blockers, its inputs, its production job."""
    if isinstance(planned, ForgeError):
        return
    seen, plan = planned.seen, planned.plan
    orchestrator = seen.orchestrator.project
    yield from pipelines.plan_checks(target, orchestrator, plan.blockers, commands.plan)
    found = zip(seen.targets, planned.jobs, planned.manual, strict=True)
    ((each, jobs, manual),) = (one for one in found if one[0].target.project == target.project)
    if (name := production_job(each)) is not None:
        yield pipelines.job_check(target, project, name, jobs, is_manual=manual)
    if each.elsewhere.service is not None:
        yield reach.version_check(target, each.elsewhere.service)


def _in_order(checks: Sequence[Check], commands: Commands) -> tuple[Check, ...]:
    """Put what has to be looked at first, and say of each finding what to type next."""
    told = (
        check
        if check.outcome == "passed" or check.command is not None
        else check.model_copy(update={"command": commands.again})
        for check in checks
    )
    return tuple(sorted(told, key=lambda check: OUTCOMES.index(check.outcome)))
