"""Small plans and lockfiles made by hand, and golden files beside the tests."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from hotfix.doctor.model import ADVICE, QUESTION, Examination
from hotfix.doctor.model import Check as ExaminedCheck
from hotfix.evidence.model import CHECKS, Approval, Check, Entry, Lock, Seal
from hotfix.evidence.rehearsal import Proof, Rehearsal, RehearsedRun, Struck, Transcript
from hotfix.plan.model import (
    FileChange,
    LeavingCommit,
    ObservedMergeRequest,
    ObservedPlan,
    ObservedTarget,
    Plan,
    PlannedCommit,
    PlannedIncident,
    PlannedJob,
    PlannedPipeline,
    Production,
    RollbackPlan,
    SourceOfSha,
    Summary,
    TargetChange,
    TargetPlan,
)
from hotfix.spec.model import (
    ApprovalPolicy,
    Committer,
    Deploy,
    HttpCheck,
    Incident,
    ManualCheck,
    MergeRequestRef,
    Orchestration,
    Policy,
    SmokeCheck,
    Spec,
    Target,
    TargetOrchestration,
    TcpCheck,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotfix.evidence.model import Phase, StepName

PROJECT = "evenergi/bf-manage-core"
PRODUCTION, BEFORE = "5f2c0d0c" * 5, "b0b0b0b0" * 5
RESTORE, PICK, OTHER_PICK = "1a2b3c4d" * 5, "2b3c4d5e" * 5, "3c4d5e6f" * 5
WAY_BACK = "4d5e6f70" * 5
TREE = "7ee57ee5" * 5
INPUTS: dict[str, str | bool | int | float | tuple[str, ...]] = {
    "action": "deploy-release-branch-to-staging",
    "project": PROJECT,
    "confirm": True,
}
GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(name="golden")
def _golden() -> Callable[[str, str], None]:
    """Compare with a golden file; HOTFIX_UPDATE_GOLDEN=1 (seen before sealing) writes it."""

    def compare(name: str, text: str) -> None:
        file = GOLDEN / name
        if _UPDATE:
            file.write_text(text, encoding="utf-8")

        assert text == file.read_text(encoding="utf-8")

    return compare


_UPDATE = os.environ.get("HOTFIX_UPDATE_GOLDEN") == "1"


@pytest.fixture
def plan() -> Plan:
    return _plan()


@pytest.fixture
def back() -> Plan:
    """Give the way back of the plan, as a plan of its own, exactly as it was approved."""
    plan = _plan()
    assert plan.rollback
    seen = plan.targets[0].observed.model_copy(update={"merge_requests": ()})
    return plan.model_copy(
        update={
            "kind": "rollback",
            "targets": tuple(
                TargetPlan(**dict(change), observed=seen) for change in plan.rollback.targets
            ),
            "rollback": None,
            "warnings": (),
            "observed": plan.observed.model_copy(update={"approved": plan.rollback.digest}),
        }
    )


@pytest.fixture
def lock() -> Lock:
    plan = _plan()
    entries = (
        _entry(1, "preflight", "observed", _PREFLIGHT),
        _entry(2, "restore", "done", _RESTORED),
        _entry(3, "orchestrate", "done", _ORCHESTRATED),
        _entry(4, "smoke", "failed", {"name": "health", "outcome": "failed", "detail": "503"}),
    )
    return Lock(
        format="lock/1",
        hotfix=plan.hotfix,
        kind="hotfix",
        gitlab=plan.gitlab,
        tool_version="0.1.0",
        applied_by="olga",
        plan=plan,
        plan_digest=plan.digest,
        spec_digest=plan.spec_digest,
        state="failed",
        approvals=(Approval(by="olga", at=_at(1), what="plan", source="typed"),),
        entries=entries,
        checks=tuple(
            Check(
                id=name,
                target=PROJECT,
                outcome="passed" if place < 3 else "failed" if place == 7 else "missing",
                evidence=(place + 1,) if place < 3 else (),
                detail="Production was recorded before the restore." if place < 3 else "No entry.",
            )
            for place, name in enumerate(CHECKS)
        ),
        head=entries[-1].digest,
        seal=Seal(
            head=entries[-1].digest,
            at=_at(9),
            incident="https://gitlab.example.com/evenergi/develop/-/issues/7",
        ),
    )


_PREFLIGHT = {
    "environment": "production",
    "production_sha": PRODUCTION,
    "release_head": BEFORE,
    "user": "olga",
}
_RESTORED = {
    "ref": "refs/heads/release",
    "old": BEFORE,
    "new": RESTORE,
    "head": RESTORE,
    "how": "pushed",
}
_ORCHESTRATED = {
    "pipeline": 31,
    "how": "created",
    "url": "https://gitlab.example.com/evenergi/develop/-/pipelines/31",
    "inputs": dict(INPUTS),
}


def _entry(seq: int, step: StepName, phase: Phase, facts: dict[str, Any]) -> Entry:
    return Entry(
        seq=seq,
        at=_at(seq),
        step=step,
        target=PROJECT,
        phase=phase,
        facts=facts,
        previous=_digest(seq - 1),
        digest=_digest(seq),
    )


def _at(minute: int) -> str:
    return f"2026-11-22T12:{minute:02}:00Z"


def _digest(number: int) -> str:
    return "sha256:" + f"{number:04x}" * 16


def _commit(
    action: Literal["restore", "pick"], sha: str, parent: str, message: str, **more: object
) -> PlannedCommit:
    values: dict[str, Any] = {
        "outcome": "new",
        "merge_request": None,
        "picked_from": None,
        "resolution": None,
        "files": (),
        "author": "Ada Author <ada@example.com>",
        "committer": "hotfix <hotfix@noreply.gitlab.example.com>",
        "tree": TREE,
    }
    return PlannedCommit(
        action=action, sha=sha, parent=parent, message=message, **{**values, **more}
    )


def _plan() -> Plan:
    smoke_checks = (
        SmokeCheck(
            name="health",
            http=HttpCheck(url="https://core.example.com/health", json_subset={"status": "ok"}),
        ),
        SmokeCheck(name="ocpp", tcp=TcpCheck(host="core.example.com", port=9000)),
        SmokeCheck(name="dashboard", manual=ManualCheck(question="Do chargers stay connected?")),
    )
    commits = (
        _commit(
            "restore",
            RESTORE,
            BEFORE,
            "fix: restore release to last production state\n\nHotfix: inc-1042-ocpp-timeout\n",
            author="hotfix <hotfix@noreply.gitlab.example.com>",
            files=(FileChange(path="core/tariffs.py", change="deleted"),),
            reason="Release holds work that production (5f2c0d0c) does not.",
        ),
        _commit(
            "pick",
            PICK,
            RESTORE,
            "Keep OCPP connections open for 120 s\n",
            merge_request=812,
            picked_from="81281281" * 5,
            files=(FileChange(path="core/ocpp/session.py", change="modified"),),
            reason="Brings !812.",
        ),
        _commit(
            "pick",
            OTHER_PICK,
            PICK,
            "Log why a heartbeat was dropped\n",
            merge_request=815,
            picked_from="81581581" * 5,
            files=(FileChange(path="core/ocpp/heartbeat.py", change="added"),),
            reason="Brings !815.",
        ),
    )
    target = TargetPlan(
        project=PROJECT,
        release_branch="release",
        environment="production",
        production=Production(sha=PRODUCTION),
        before=BEFORE,
        after=OTHER_PICK,
        commits=commits,
        leaving=(
            *(
                LeavingCommit(
                    sha=f"{iid:08}" * 5,
                    title=f"Unfinished {iid}",
                    author="Uma",
                    merge_request=iid,
                    is_merge=False,
                )
                for iid in (801, 803, 803, 806, 810)
            ),
            LeavingCommit(
                sha="e1e1e1e1" * 5,
                title="Merge branch 'main' into 'release'",
                author="Ben",
                merge_request=None,
                is_merge=True,
            ),
            LeavingCommit(
                sha="d1d1d1d1" * 5,
                title="Bump version",
                author="Ben",
                merge_request=None,
                is_merge=False,
            ),
        ),
        pipeline=PlannedPipeline(
            project="evenergi/develop",
            ref="main",
            inputs=INPUTS,
            send_as="inputs",
            operation_input=None,
        ),
        deploy=PlannedJob(job="deploy-production"),
        smoke_checks=smoke_checks,
        observed=_observed(),
    )
    back = target.model_copy(
        update={
            "before": OTHER_PICK,
            "after": WAY_BACK,
            "leaving": (),
            "commits": (
                _commit(
                    "restore",
                    WAY_BACK,
                    OTHER_PICK,
                    "fix: restore release to last production state\n",
                    reason="Release holds work that production (5f2c0d0c) does not.",
                ),
            ),
        }
    )
    return Plan(
        format="plan/1",
        hotfix="inc-1042-ocpp-timeout",
        kind="hotfix",
        digest="sha256:" + "d19e57ab" * 8,
        gitlab="https://gitlab.example.com",
        tool_version="0.1.0",
        spec=_spec(smoke_checks),
        spec_digest="sha256:" + "57ec57ec" * 8,
        summary=Summary(
            commits=3,
            pushes=2,
            pipelines=1,
            manual_jobs=1,
            smoke_checks=3,
            incidents=1,
            leaving_release=5,
        ),
        targets=(target,),
        incident=PlannedIncident(
            project="evenergi/develop",
            iid=None,
            title="Hotfix inc-1042-ocpp-timeout: OCPP heartbeats are dropped after 30 s",
            severity="high",
            template="incident",
            labels=(),
            assignees=(),
            follow_ups=("Write a test for slow chargers",),
        ),
        rollback=RollbackPlan(digest="sha256:" + "bac4bac4" * 8, targets=(_change(back),)),
        blockers=(),
        warnings=(),
        observed=ObservedPlan(at="2026-11-22T12:00:00Z", by="olga"),
    )


def _change(target: TargetPlan) -> TargetChange:
    return TargetChange(**{key: each for key, each in dict(target).items() if key != "observed"})


def _observed() -> ObservedTarget:
    page = f"https://gitlab.example.com/{PROJECT}/-/environments/3"
    detail = "5f2c0d0c, deployment 41 by job deploy-production (812) at 2026-11-19T09:00:00Z"
    return ObservedTarget(
        url=f"https://gitlab.example.com/{PROJECT}",
        access_level=40,
        production=tuple(
            SourceOfSha(
                source=source, sha=PRODUCTION, at="2026-11-19T09:00:00Z", url=page, detail=detail
            )
            for source in ("environment", "deployments by finish time")
        ),
        merge_requests=tuple(
            ObservedMergeRequest(
                project=PROJECT,
                iid=iid,
                title=title,
                state="merged",
                author="ada",
                target_branch="main",
                merged_at="2026-11-22T10:00:00Z",
                approved_by=("rita",),
                approvals_left=0,
                url=f"https://gitlab.example.com/{PROJECT}/-/merge_requests/{iid}",
            )
            for iid, title in (
                (812, "Keep OCPP connections open for 120 s"),
                (815, "Log why a heartbeat was dropped"),
            )
        ),
    )


def _spec(smoke_checks: tuple[SmokeCheck, ...]) -> Spec:
    return Spec(
        version=1,
        id="inc-1042-ocpp-timeout",
        title="OCPP heartbeats are dropped after 30 s",
        targets=(
            Target(
                project=PROJECT,
                production_sha=PRODUCTION,
                merge_requests=tuple(MergeRequestRef(project=PROJECT, iid=i) for i in (812, 815)),
                smoke_checks=smoke_checks,
                release_branch="release",
                environment="production",
                restore_message="fix: restore release to last production state",
                resolutions=(),
                orchestration=TargetOrchestration(project_value="{path}", inputs=INPUTS),
                deploy=Deploy(job=None),
                after=(),
            ),
        ),
        orchestration=Orchestration(
            project="evenergi/develop", ref=None, send_as="inputs", operation_input=None
        ),
        incident=Incident(
            project="evenergi/develop",
            iid=None,
            create=True,
            template="incident",
            severity="high",
            labels=(),
            assignees=(),
            follow_ups=("Write a test for slow chargers",),
        ),
        committer=Committer(name="hotfix", email="hotfix@noreply.gitlab.example.com"),
        requested_at=None,
        policy=Policy(approvals=ApprovalPolicy(minimum=1, not_author=True), allow_commands=False),
    )


@pytest.fixture
def examination() -> Examination:
    """Return what the doctor found: a check of each outcome, and one of the token's."""
    again, web = "hotfix doctor hotfix.yaml", f"https://gitlab.example.com/{PROJECT}"
    return Examination(
        format="doctor/1",
        hotfix="inc-1042-ocpp-timeout",
        gitlab="https://gitlab.example.com",
        tool_version="0.1.0",
        by="operator",
        at="2026-11-22T12:00:00Z",
        question=QUESTION,
        advice=ADVICE,
        again=again,
        checks=(
            ExaminedCheck(
                id="push-rules",
                target=PROJECT,
                outcome="failed",
                message="Unsigned commits are refused, and the planned ones bear no signature.",
                hint="Have a Maintainer lift the rule for the hotfix.",
                look_at=f"{web}/-/settings/repository#js-push-rules",
                command=again,
            ),
            ExaminedCheck(
                id="smoke-check",
                target=PROJECT,
                outcome="warning",
                message="health: HTTP 503, expected 200. It answers, and is red already.",
                hint="See whether the hotfix is to mend it; else correct the check.",
                command="curl -sS -i --max-time 10 https://core.example.com/health",
            ),
            ExaminedCheck(
                id="token-scopes",
                target=None,
                outcome="not-seen",
                message="GitLab tells scopes and last day of access tokens alone.",
                hint="Look at how the token was made.",
                command=again,
            ),
            ExaminedCheck(
                id="clock-skew",
                target=None,
                outcome="passed",
                message="The clocks agree within 60 s.",
            ),
            ExaminedCheck(
                id="deploy-job",
                target=PROJECT,
                outcome="passed",
                message="`deploy-production` is there, and waits for a person.",
            ),
        ),
    )


@pytest.fixture
def transcript(plan: Plan) -> Transcript:
    """Return what a rehearsal found: one that went well, one that was interrupted, one failed."""
    lost = "POST /projects/:id/pipeline #1 before reset"
    done = RehearsedRun(ended="complete", code="complete", message="", struck=(), mended=False)
    broken = RehearsedRun(
        ended="interrupted",
        code="pipeline-not-started",
        message="GitLab did not answer, and no pipeline was started.",
        struck=(Struck(fault=lost, request="POST /api/v4/projects/1/pipeline"),),
        mended=False,
    )
    once = Proof(
        what="pipeline-once",
        target=PROJECT,
        outcome="passed",
        detail="1 orchestration pipeline with the planned inputs: 7",
    )
    twice = once.model_copy(
        update={"outcome": "failed", "detail": "2 orchestration pipelines with the planned inputs"}
    )
    rehearsals = (
        Rehearsal(name="no faults", faults=(), runs=(done,), proofs=(once,), verdict="converged"),
        Rehearsal(
            name="pipeline-reset-before",
            faults=(lost,),
            runs=(broken, done),
            proofs=(once,),
            verdict="converged",
        ),
        Rehearsal(
            name="GET /nowhere 500",
            faults=("GET /nowhere #1 before 500",),
            runs=(done,),
            proofs=(once,),
            verdict="converged",
        ),
        Rehearsal(
            name="seed 3", faults=(lost,), runs=(broken, done), proofs=(twice,), verdict="failed"
        ),
    )
    return Transcript(
        format="rehearsal/1",
        hotfix=plan.hotfix,
        plan_digest=plan.digest,
        gitlab=plan.gitlab,
        tool_version=plan.tool_version,
        by="operator",
        at="2026-11-22T12:00:00Z",
        verdict="failed",
        not_rehearsed=("No smoke check was sent: the embedded GitLab answered each of them.",),
        rehearsals=rehearsals,
    )
