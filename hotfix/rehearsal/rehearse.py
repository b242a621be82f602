"""Rehearsing a plan: the same bytes, on an embedded GitLab, with faults, until it converges."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, Protocol

from hotfix.apply.ports import Pace, Stop
from hotfix.apply.run import Request, apply
from hotfix.clock import timestamp
from hotfix.errors import FailedError, HotfixError
from hotfix.evidence.lockfile import parse
from hotfix.evidence.rehearsal import Proof, Rehearsal, RehearsedRun, Struck, Transcript
from hotfix.parallel import in_order
from hotfix.plan.make import make_plan
from hotfix.rehearsal.actors import (
    NoScreen,
    RehearsalClock,
    RehearsalOperator,
    SmokeStandIn,
    VersionStandIn,
    embedded_forge,
)
from hotfix.rehearsal.cases import UNDISTURBED
from hotfix.rehearsal.proofs import prove, unproven
from hotfix.rehearsal.stage import Stage, set_stage
from hotfix.sandbox import Sandbox
from hotfix.sandbox.request_log import RequestLog
from hotfix.text import one_line

if TYPE_CHECKING:
    from hotfix.apply.run import Outcome
    from hotfix.clock import Clock
    from hotfix.plan.model import Plan
    from hotfix.rehearsal.cases import Case, Wishes
    from hotfix.rehearsal.scene import Scene

Ended = Literal["complete", "interrupted", "defect"]

NOT_REHEARSED: Final = (
    "No smoke check was sent: the embedded GitLab answered each of them.",
    "No service was asked which commit it runs: each was taken to run what was last deployed.",
    "Both questions were answered with yes by the rehearsal, and only embedded jobs were pressed.",
    "No CI ran: a stand-in of the orchestrator started the target's pipeline, for what is planned.",
    "That one had the jobs of the last deployment's where they can be read; all of them succeeded.",
    "Rights were not met, nor protected branches, push rules and deployment approvals.",
    "Approvals of the plan that its policy asks for were given by stand-ins.",
    "Nobody else was at work: neither release nor production was moved meanwhile.",
    "No run was killed: each came to its own end, and the same command was run again.",
)
"""What a reader must not take for proven."""

_MOST_RUNS: Final = 20
"""Beyond the number of faults, so that a run that never ends is a failure and no wait."""


class Tell(Protocol):
    """Is told of each rehearsal when it is over."""

    def __call__(self, done: Rehearsal, *, number: int, of: int) -> None:
        """Show how far it is."""
        ...


def rehearse(
    scene: Scene, wishes: Wishes, *, clock: Clock, tool_version: str, tell: Tell
) -> Transcript:
    """Carry the plan out undisturbed, then once for each case that is wished for.

    Where it does not even go through undisturbed nothing else is tried. Raises ``FailedError``
    where the embedded GitLab does not give the same plan: then nothing that happens on it would
    tell anything.
    """
    with in_order():
        _prove_same_plan(scene, clock)
        done = _carried_out(scene, wishes, clock, tell)
    plan = scene.plan
    return Transcript(
        format="rehearsal/1",
        hotfix=plan.hotfix,
        plan_digest=plan.digest,
        gitlab=plan.gitlab,
        tool_version=tool_version,
        by=scene.answers.as_forge().current_user().username,
        at=timestamp(clock.now()),
        verdict="converged" if all(each.verdict == "converged" for each in done) else "failed",
        not_rehearsed=NOT_REHEARSED,
        rehearsals=tuple(done),
    )


def _carried_out(scene: Scene, wishes: Wishes, clock: Clock, tell: Tell) -> list[Rehearsal]:
    undisturbed = _Rehearsing(scene, UNDISTURBED, clock)
    done = [undisturbed.carried_out()]
    cases = wishes.cases(undisturbed.asked) if done[0].verdict == "converged" else []
    tell(done[0], number=1, of=1 + len(cases))
    for case in cases:
        done.append(_Rehearsing(scene, case, clock).carried_out())
        tell(done[-1], number=len(done), of=1 + len(cases))
    return done


def _prove_same_plan(scene: Scene, clock: Clock) -> None:
    """Plan on the embedded GitLab: the same digest, so the same commits to the byte."""
    own = RehearsalClock(clock.now())
    stage = set_stage(scene, own)
    with Sandbox(stage.world) as sandbox:
        forge = embedded_forge(sandbox.url, stage.token, own)
        plan = make_plan(
            scene.plan.spec,
            forge,
            own,
            tool_version=scene.plan.tool_version,
            ask_version=VersionStandIn(stage.world, scene.plan),
        ).plan
    if plan.digest != scene.plan.digest:
        raise FailedError(
            "rehearsal-differs",
            f"The embedded GitLab gives the plan {plan.digest}, not {scene.plan.digest}.",
            hint="What was observed could not be brought over whole, so nothing was rehearsed. "
            "Report it with the plan.",
        )


class _Rehearsing:
    """One case: runs of the same command, one after another, as an operator would type them."""

    def __init__(self, scene: Scene, case: Case, clock: Clock) -> None:
        self._plan: Plan = scene.plan
        self._case = case
        self._clock = RehearsalClock(clock.now())
        self._stage: Stage = set_stage(scene, self._clock)
        self.asked = RequestLog()
        """What was asked until it was complete."""

    def carried_out(self) -> Rehearsal:
        """Apply until it is complete, or until a run that nothing went wrong in is not."""
        with tempfile.TemporaryDirectory(prefix="hotfix-rehearsal-") as folder:
            lockfile = Path(folder) / "rehearsal.lock.json"
            with Sandbox(self._stage.world) as sandbox:
                sandbox.faults.plan(self._case.faults)
                runs = self._runs(sandbox, lockfile)
                self.asked.extend(sandbox.requests)
                proofs = self._proofs(sandbox, lockfile)
        holds = all(proof.outcome == "passed" for proof in proofs)
        return Rehearsal(
            name=self._case.name,
            faults=tuple(map(str, self._case.faults)),
            runs=runs,
            proofs=proofs,
            verdict="converged" if runs[-1].ended == "complete" and holds else "failed",
        )

    def _runs(self, sandbox: Sandbox, lockfile: Path) -> tuple[RehearsedRun, ...]:
        runs: list[RehearsedRun] = []
        while len(runs) < len(self._case.faults) + _MOST_RUNS:
            runs.append(self._run(sandbox, lockfile))
            last = runs[-1]
            if last.ended != "interrupted" or not (last.struck or last.mended):
                break
        return tuple(runs)

    def _run(self, sandbox: Sandbox, lockfile: Path) -> RehearsedRun:
        before = len(sandbox.faults.struck)
        ended, code, message = self._ended(sandbox, lockfile)
        struck = sandbox.faults.struck[before:]
        return RehearsedRun(
            ended=ended,
            code=code,
            message=_plain(message, sandbox, lockfile),
            struck=tuple(
                Struck(fault=str(each.fault), request=f"{each.method} {each.path}")
                for each in struck
            ),
            mended=sandbox.faults.mend(),
        )

    def _ended(self, sandbox: Sandbox, lockfile: Path) -> tuple[Ended, str, str]:
        try:
            outcome = self._apply(sandbox, lockfile)
        except HotfixError as error:
            return "interrupted", error.code, error.message
        except Exception as error:  # noqa: BLE001 - a defect is what a rehearsal is to find
            return "defect", "defect", f"{type(error).__name__}: {error}"
        return "complete", outcome.lock.state, outcome.message

    def _apply(self, sandbox: Sandbox, lockfile: Path) -> Outcome:
        forge = embedded_forge(sandbox.url, self._stage.token, self._clock)
        request = Request(
            spec=self._plan.spec,
            saved=self._plan,
            lockfile=lockfile,
            command="hotfix apply PLAN",
            plan_command="hotfix plan SPEC",
            until=None,
            pace=Pace(poll=1.0, longest=600.0),
            tool_version=self._plan.tool_version,
            check_smoke=SmokeStandIn(self._stage.world, self._plan),
            ask_version=VersionStandIn(self._stage.world, self._plan),
        )
        return apply(
            request,
            forge=forge,
            clock=self._clock,
            operator=RehearsalOperator(sandbox.url),
            progress=NoScreen(),
            stop=Stop(),
        )

    def _proofs(self, sandbox: Sandbox, lockfile: Path) -> tuple[Proof, ...]:
        if not lockfile.exists():
            return unproven("no run came so far that it left a lockfile")
        document = parse(lockfile.read_bytes(), lockfile.name)
        proofs = prove(self._stage.world, document)
        if document.lock.state != "complete":
            return proofs
        return (*proofs, self._proven_idle(sandbox, lockfile))

    def _proven_idle(self, sandbox: Sandbox, lockfile: Path) -> Proof:
        """Apply what is complete once more: it says so, and nothing is written."""
        sandbox.faults.clear()
        before = len(sandbox.requests.writes())
        ended, _, message = self._ended(sandbox, lockfile)
        writes = len(sandbox.requests.writes()) - before
        return Proof(
            what="again-nothing",
            target=None,
            outcome="passed" if (ended, writes) == ("complete", 0) else "failed",
            detail=f"applied again: {writes} writes; {_plain(message, sandbox, lockfile)}",
        )


def _plain(message: str, sandbox: Sandbox, lockfile: Path) -> str:
    """Take out of a sentence what differs from one rehearsal to the next: port and folder."""
    text = message.replace(sandbox.url, "http://embedded").replace(
        str(lockfile.parent), "rehearsal"
    )
    return one_line(text, 400)
