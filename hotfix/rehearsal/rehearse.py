"""Rehearsing a plan: the same bytes, on an embedded GitLab, with faults, until it converges."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from hotfix.apply.ports import Pace, Stop
from hotfix.apply.run import Request, apply
from hotfix.clock import timestamp
from hotfix.errors import FailedError, HotfixError
from hotfix.evidence.lockfile import parse
from hotfix.evidence.rehearsal import Proof, Rehearsal, RehearsedRun, Struck, Transcript
from hotfix.plan.make import make_plan
from hotfix.rehearsal.actors import (
    NoScreen,
    RehearsalClock,
    RehearsalOperator,
    SmokeStandIn,
    bury,
    embedded_forge,
)
from hotfix.rehearsal.proofs import prove, unproven
from hotfix.rehearsal.stage import Stage, set_stage
from hotfix.sandbox import Sandbox
from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hotfix.apply.run import Outcome
    from hotfix.clock import Clock
    from hotfix.plan.model import Plan
    from hotfix.rehearsal.scene import Scene
    from hotfix.sandbox.faults import Fault

Ended = Literal["complete", "interrupted", "defect"]

NOT_REHEARSED: Final = (
    "No smoke check was sent: the embedded GitLab answered each of them.",
    "The production gate was answered by the rehearsal, and only embedded jobs were pressed.",
    "The projects' own CI did not run: stand-ins took its place, which succeed.",
    "Rights were not met, nor protected branches, push rules and deployment approvals.",
)
"""What a reader must not take for proven."""

_MOST_RUNS: Final = 20
"""Beyond the number of faults, so that a run that never ends is a failure and no wait."""


@dataclass(frozen=True, slots=True)
class Case:
    """One rehearsal that is asked for: what shall go wrong in it."""

    name: str
    faults: tuple[Fault, ...]


def rehearse(
    scene: Scene,
    cases: Sequence[Case],
    *,
    clock: Clock,
    tool_version: str,
    tell: Callable[[Rehearsal], None],
) -> Transcript:
    """Carry the plan out once for each case, and say what came of it.

    Raises ``FailedError`` where the embedded GitLab does not give the same plan: then nothing that
    happens on it would tell anything.
    """
    plan = scene.plan
    _prove_same_plan(scene, clock)
    done = []
    for case in cases:
        done.append(_Rehearsing(scene, case, clock).carried_out())
        tell(done[-1])
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


def _prove_same_plan(scene: Scene, clock: Clock) -> None:
    """Plan on the embedded GitLab: the same digest, so the same commits to the byte."""
    own = RehearsalClock(clock.now())
    stage = set_stage(scene, own)
    with Sandbox(stage.world) as sandbox:
        forge = embedded_forge(sandbox.url, stage.token, own)
        plan = make_plan(scene.plan.spec, forge, own, tool_version=scene.plan.tool_version).plan
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

    def carried_out(self) -> Rehearsal:
        """Apply until it is complete, or until a run that nothing went wrong in is not."""
        with tempfile.TemporaryDirectory(prefix="hotfix-rehearsal-") as folder:
            lockfile = Path(folder) / "rehearsal.lock.json"
            with Sandbox(self._stage.world) as sandbox:
                sandbox.faults.plan(self._case.faults)
                runs = self._runs(sandbox, lockfile)
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
        bury(self._stage.world)
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
