"""A whole hotfix of two repositories as it is recorded, for tests to tell differently."""

from __future__ import annotations

import copy
import functools
import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from hotfix.canonical import digest
from hotfix.clock import timestamp
from hotfix.evidence.checks import nine_checks
from hotfix.evidence.lockfile import parse, serialize
from hotfix.evidence.model import Approval, Entry
from hotfix.evidence.record import begin, extend, seal
from hotfix.plan.document import plan_digest, rollback_digest, to_json
from hotfix.plan.model import Plan

if TYPE_CHECKING:
    from hotfix.evidence.lockfile import LockDocument
    from hotfix.evidence.model import Check, Lock

CORE, WEB = "evenergi/bf-manage-core", "evenergi/bf-manage-web"
GITLAB = "https://gitlab.example.com"
INCIDENT = f"{GITLAB}/evenergi/develop/-/issues/77"
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def sha(*names: object) -> str:
    """Make up the id of something."""
    return hashlib.sha1("/".join(map(str, names)).encode(), usedforsecurity=False).hexdigest()


@dataclass
class Told:
    """An entry before it is chained."""

    step: str
    target: str | None
    phase: str
    facts: dict[str, Any]
    approvals: tuple[Approval, ...] = ()
    state: str | None = None


@dataclass
class Story:
    """The plan, and what happened, in order."""

    plan: Plan
    told: list[Told] = field(default_factory=list)

    def find(self, step: str, target: str | None, phase: str, **facts: object) -> Told:
        """Find the one such entry."""
        (found,) = (
            each
            for each in self.told
            if (each.step, each.target, each.phase) == (step, target, phase)
            and all(each.facts.get(key) == value for key, value in facts.items())
        )
        return found

    def change(self, step: str, target: str | None, phase: str, **facts: object) -> None:
        """Tell some facts differently."""
        self.find(step, target, phase).facts.update(facts)

    def drop(self, step: str, target: str | None = CORE) -> None:
        """Leave a step of a target out."""
        kept = [each for each in self.told if (each.step, each.target) != (step, target)]
        assert len(kept) < len(self.told)
        self.told = kept

    def add(self, step: str, target: str | None, phase: str, **facts: object) -> Told:
        """Tell one thing more, at the end."""
        self.told.append(Told(step, target, phase, facts))
        return self.told[-1]

    def repeat(self, step: str, target: str | None = CORE, **facts: object) -> None:
        """Tell the last such entry again, as a resumed run does, with other facts."""
        last = [each for each in self.told if (each.step, each.target) == (step, target)][-1]
        self.told.append(Told(step, target, last.phase, {**last.facts, **facts}))

    def move(self, step: str, target: str | None, phase: str, *, to: int) -> None:
        """Tell an entry at another time."""
        told = self.find(step, target, phase)
        self.told.remove(told)
        self.told.insert(to, told)

    def planned(self, **changed: object) -> None:
        """Plan differently, with digests that are its own."""
        self.plan = digested({**to_json(self.plan), **changed})

    def lock(self) -> Lock:
        """Record the story, not sealed."""
        lock = begin(self.plan, applied_by="olive", gitlab=GITLAB, tool_version="0.1.0")
        for index, each in enumerate(self.told):
            lock = extend(
                lock,
                at=timestamp(NOON + timedelta(seconds=7 * index)),
                step=each.step,  # type: ignore[arg-type]  # a test may tell nonsense
                target=each.target,
                phase=each.phase,  # type: ignore[arg-type]  # as above
                facts=each.facts,
                approvals=each.approvals,
                state=each.state,  # type: ignore[arg-type]  # as above
            )
        return lock

    def sealed(self) -> Lock:
        """Record the story to its end."""
        return seal(self.lock(), at=timestamp(NOON + timedelta(hours=1)))

    def document(self) -> LockDocument:
        """Read the sealed file back."""
        return parse(serialize(self.sealed()), "hotfix.lock.json")

    def entries(self) -> tuple[Entry, ...]:
        """Make the entries alone, not chained: what the nine checks look at."""
        return tuple(
            Entry(
                seq=seq,
                at=timestamp(NOON + timedelta(seconds=7 * seq)),
                step=each.step,  # type: ignore[arg-type]  # a test may tell nonsense
                target=each.target,
                phase=each.phase,  # type: ignore[arg-type]  # as above
                facts=copy.deepcopy(each.facts),
                previous=self.plan.digest,
                digest=self.plan.digest,
            )
            for seq, each in enumerate(self.told, 1)
        )

    def check(self, check: str, target: str = CORE) -> Check:
        """Judge one check of one target."""
        (found,) = (
            each
            for each in nine_checks(self.plan, self.entries())
            if (each.id, each.target) == (check, target)
        )
        return found

    def evidence(self, check: str, target: str = CORE) -> list[tuple[str, str]]:
        """Name the entries that a check rests on by step and phase."""
        return [
            (self.told[seq - 1].step, self.told[seq - 1].phase)
            for seq in self.check(check, target).evidence
        ]


@pytest.fixture
def _no_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the schema out: the models and the audit must find every change without it."""
    monkeypatch.setattr("hotfix.schema.schema_text", lambda _name: "{}")


@pytest.fixture
def hotfix() -> Story:
    """Two repositories, both restored, picked, released and checked."""
    story = Story(_digested("hotfix"))
    for target in (CORE, WEB):
        _tell_branch(story, target)
    for target in (CORE, WEB):
        _tell_release(story, target)
    _tell_end(story)
    return story


@pytest.fixture
def rollback() -> Story:
    """Take the same two back, in reverse order."""
    story = Story(_digested("rollback"))
    for target in (WEB, CORE):
        _tell_branch(story, target)
        _tell_release(story, target)
    _tell_end(story)
    return story


@functools.cache
def _digested(kind: str) -> Plan:
    return digested(_plan(kind))


def digested(document: dict[str, Any]) -> Plan:
    """Make a plan of a document, with every default filled in and digests that are its own."""
    whole = to_json(Plan.model_validate_json(json.dumps(document)))
    whole["spec_digest"] = digest(whole["spec"])
    if whole["rollback"] is not None:
        whole["rollback"]["digest"] = rollback_digest(whole["rollback"])
    whole["digest"] = plan_digest(whole)
    return Plan.model_validate_json(json.dumps(whole))


# ---- what is planned ----

_CHECKS = [
    {"name": "health", "http": {"url": "https://core.example.com/health", "json": {"ok": True}}},
    {"name": "ask", "manual": {"question": "Do heartbeats arrive?"}, "only_for": "hotfix"},
    {"name": "certificate", "tls": {"host": "core.example.com"}, "only_for": "rollback"},
]
_MERGE_REQUESTS = {CORE: [812, 815], WEB: [31]}


def _spec() -> dict[str, Any]:
    return {
        "version": 1,
        "id": "inc-1042-ocpp-timeout",
        "title": "OCPP heartbeats are dropped after 30 s: zu früh",
        "targets": [_spec_target(CORE), _spec_target(WEB)],
        "orchestration": {
            "project": "evenergi/develop",
            "ref": None,
            "send_as": "inputs",
            "operation_input": "operation",
        },
        "incident": _incident() | {"create": True},
        "committer": {"name": "hotfix", "email": "hotfix@noreply.gitlab.example.com"},
        "requested_at": None,
        "policy": {"approvals": {"minimum": 1, "not_author": True}, "allow_commands": False},
    }


def _spec_target(project: str) -> dict[str, Any]:
    return {
        "project": project,
        "production_sha": sha(project, "production"),
        "merge_requests": [{"project": project, "iid": iid} for iid in _MERGE_REQUESTS[project]],
        "smoke_checks": _CHECKS,
        "release_branch": "release",
        "environment": "production",
        "restore_message": "fix: restore release to last production state",
        "resolutions": [],
        "orchestration": {"project_value": project, "inputs": _inputs(project)},
        "deploy": {"job": "deploy-production"},
        "after": [],
    }


def _inputs(project: str) -> dict[str, Any]:
    return {
        "action": "deploy-release-branch-to-staging",
        "project": project,
        "confirm": True,
        "regions": ["eu", "au"],
    }


def _incident() -> dict[str, Any]:
    return {
        "project": "evenergi/develop",
        "iid": None,
        "severity": "high",
        "template": "incident",
        "labels": ["hotfix"],
        "assignees": ["olive"],
        "follow_ups": ["Raise the timeout's default."],
    }


def _plan(kind: str) -> dict[str, Any]:
    spec = _spec()
    order = (CORE, WEB) if kind == "hotfix" else (WEB, CORE)
    back = {"digest": "", "targets": [_change(each, "rollback") for each in (WEB, CORE)]}
    counted = ["commits", "pushes", "pipelines", "manual_jobs", "smoke_checks", "incidents"]
    return {
        "format": "plan/1",
        "hotfix": spec["id"],
        "kind": kind,
        "digest": "",
        "gitlab": GITLAB,
        "tool_version": "0.1.0",
        "spec": spec,
        "spec_digest": "",
        "summary": dict.fromkeys([*counted, "leaving_release"], 2),
        "targets": [_change(each, kind) | {"observed": _observed(each)} for each in order],
        "incident": _incident() | {"title": spec["title"]},
        "rollback": back if kind == "hotfix" else None,
        "blockers": [],
        "warnings": [
            {"code": "leaving", "target": CORE, "message": "2 commits leave.", "hint": "Look."}
        ],
        "observed": {"at": timestamp(NOON), "by": "petra"},
    }


def commits(project: str, kind: str) -> list[dict[str, Any]]:
    """Plan the restore and, on the way forward, each pick upon it."""
    before = sha(project, "after") if kind == "rollback" else sha(project, "before")
    planned = [_commit(project, kind, "restore", before, None)]
    if kind == "hotfix":
        for iid in _MERGE_REQUESTS[project]:
            planned.append(_commit(project, kind, "pick", planned[-1]["sha"], iid))
        planned[-1]["sha"] = sha(project, "after")
    return planned


def _commit(project: str, kind: str, action: str, parent: str, iid: int | None) -> dict[str, Any]:
    tree = sha(project, "production tree") if iid is None else sha(project, "tree", iid)
    return {
        "action": action,
        "outcome": "new",
        "sha": sha(project, kind, action, iid),
        "tree": tree,
        "parent": parent,
        "message": f"fix: {action} „naïve“\n\nHotfix: inc-1042-ocpp-timeout\n",
        "author": "Ada Author <ada@example.com>",
        "committer": "hotfix <hotfix@noreply.gitlab.example.com>",
        "merge_request": iid,
        "picked_from": None if iid is None else sha(project, "merged", iid),
        "resolution": None,
        "files": [{"path": "src/ocpp.py", "change": "modified"}],
        "reason": "It is in the spec.",
    }


def _change(project: str, kind: str) -> dict[str, Any]:
    planned = commits(project, kind)
    return {
        "project": project,
        "release_branch": "release",
        "environment": "production",
        "production": {"sha": sha(project, "production")},
        "before": planned[0]["parent"],
        "after": planned[-1]["sha"],
        "commits": planned,
        "leaving": [
            {"sha": sha(project, "unreleased"), "title": "x", "author": "Bo", "merge_request": 9}
        ],
        "pipeline": {
            "project": "evenergi/develop",
            "ref": "main",
            "inputs": _inputs(project),
            "send_as": "inputs",
            "operation_input": "operation",
        },
        "deploy": {"job": "deploy-production"},
        "smoke_checks": _CHECKS,
    }


def _observed(project: str) -> dict[str, Any]:
    return {
        "url": f"{GITLAB}/{project}",
        "access_level": 40,
        "production": [
            {
                "source": "environment",
                "sha": sha(project, "production"),
                "at": timestamp(NOON),
                "url": None,
                "detail": "last successful deployment",
            }
        ],
        "merge_requests": [
            {
                "project": project,
                "iid": iid,
                "title": "fix: timeout",
                "state": "merged",
                "author": "ada",
                "target_branch": "main",
                "merged_at": timestamp(NOON),
                "approved_by": ["rex"],
                "approvals_left": 0,
                "url": f"{GITLAB}/{project}/-/merge_requests/{iid}",
            }
            for iid in _MERGE_REQUESTS[project]
        ],
    }


# ---- what happened ----


def _tell_branch(story: Story, project: str) -> None:
    target = next(each for each in story.plan.targets if each.project == project)
    first, picks = target.commits[0], target.commits[1:]
    production = target.production.sha
    preflight = story.add(
        "preflight",
        project,
        "observed",
        production_sha=production,
        sources=[
            {"source": "environment", "sha": production, "at": timestamp(NOON), "url": None},
            {"source": "deployments", "sha": production, "at": timestamp(NOON), "url": None},
        ],
        environment="production",
        release_head=target.before,
        merge_requests=[
            {"iid": iid, "state": "merged", "approved_by": ["ada", "rex"], "approvals_left": 0}
            for iid in _MERGE_REQUESTS[project]
        ],
        user="olive",
        plan_digest=story.plan.digest,
    )
    if len(story.told) == 1:
        preflight.state = "applying"
        preflight.approvals = (
            Approval(by="petra", at=timestamp(NOON), what="plan", source="question"),
        )
    ref = "refs/heads/hotfix-lock"
    story.add("lock", project, "intent", ref=ref)
    story.add("lock", project, "done", ref=ref, sha=sha(project, "lock"), holder="olive")
    push = {"ref": "refs/heads/release", "old": target.before, "new": first.sha}
    story.add("restore", project, "intent", **push)
    story.add("restore", project, "done", **push, head=first.sha, how="pushed")
    story.add(
        "verify-restore",
        project,
        "observed",
        commit=first.sha,
        tree=first.tree,
        production_tree=first.tree,
        equal=True,
        release_head=first.sha,
    )
    ids = [commit.sha for commit in target.commits]
    if picks:
        push = {"ref": "refs/heads/release", "old": first.sha, "new": target.after}
        story.add("pick", project, "intent", **push, commits=ids[1:])
        made = [
            {"sha": each.sha, "merge_request": each.merge_request, "picked_from": each.picked_from}
            for each in picks
        ]
        story.add("pick", project, "done", **push, head=target.after, how="pushed", commits=made)
    story.add(
        "verify-branch",
        project,
        "observed",
        base=target.before,
        head=target.after,
        commits=ids,
        expected=ids,
        equal=True,
    )


def _tell_release(story: Story, project: str) -> None:
    target = next(each for each in story.plan.targets if each.project == project)
    number = 100 if project == CORE else 200
    sent = _inputs(project) | {"operation": f"op-{number}"}
    asked = {"project": "evenergi/develop", "ref": "main", "inputs": sent, "user": "olive"}
    story.add("orchestrate", project, "intent", **asked, send_as="inputs", newest_pipeline=99)
    story.add(
        "orchestrate",
        project,
        "done",
        **asked,
        pipeline=number,
        url=f"{GITLAB}/evenergi/develop/-/pipelines/{number}",
        sha=sha("develop", "main"),
        created_at=timestamp(NOON),
        how="created",
    )
    downstream = {
        "pipeline": number + 1,
        "project": project,
        "ref": "release",
        "sha": target.after,
        "url": f"{GITLAB}/{project}/-/pipelines/{number + 1}",
        "via": "bridge",
        "bridge": number + 2,
    }
    story.add("staging", project, "observed", **downstream)
    jobs = [{"name": "deploy-production", "status": "manual", "url": f"{GITLAB}/{project}/-/jobs"}]
    story.add(
        "staging", project, "done", **downstream, jobs=jobs, job=number + 3, job_status="manual"
    )
    _tell_production(story, project, number + 3)
    for name in ("health", "ask") if story.plan.kind == "hotfix" else ("health", "certificate"):
        story.add(
            "smoke",
            project,
            "observed",
            name=name,
            kind="http",
            outcome="passed",
            detail="200 as expected",
            attempts=1,
            started_at=timestamp(NOON),
            finished_at=timestamp(NOON),
            facts={"seconds": 0.25},
        )


def _tell_production(story: Story, project: str, job: int) -> None:
    after = next(each.after for each in story.plan.targets if each.project == project)
    promote = story.add(
        "promote",
        project,
        "intent",
        job=job,
        job_name="deploy-production",
        pipeline=job - 2,
        commit=after,
        confirmed_by="olive",
        how="typed",
        production_sha=sha(project, "production"),
    )
    promote.approvals = (
        Approval(by="olive", at=timestamp(NOON), what=f"promote {project}", source="question"),
    )
    story.add(
        "promote",
        project,
        "done",
        job=job,
        job_name="deploy-production",
        status="pending",
        user="olive",
        how="pressed",
    )
    story.add(
        "verify-production",
        project,
        "observed",
        job=job,
        job_status="success",
        deployment=job + 1000,
        deployment_status="success",
        deployment_sha=after,
        finished_at=timestamp(NOON),
        environment="production",
        environment_sha=after,
        release_head=after,
    )


def _tell_end(story: Story) -> None:
    story.add("incident", None, "intent", project="evenergi/develop", create=True, marker="m")
    story.add(
        "incident",
        None,
        "done",
        project="evenergi/develop",
        iid=77,
        url=INCIDENT,
        created=True,
        section="sha256:" + "5" * 64,
        has={"timeline": True, "fix": True, "validation": True, "follow_ups": True},
        timeline_events=6,
    )
    for target in (CORE, WEB):
        story.add("unlock", target, "done", ref="refs/heads/hotfix-lock")
    story.told[-1].state = "complete"
