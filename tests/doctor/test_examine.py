"""The looks, on the embedded GitLab: what is asked, what is not shown, what is never done."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from hotfix.clock import SystemClock
from hotfix.doctor.examine import Commands, examine
from hotfix.forge.gitlab import GitLabForge
from hotfix.forge.protocol import ForgeError
from hotfix.plan.make import make_plan
from hotfix.sandbox import Sandbox, seed
from hotfix.sandbox.projects import ApprovalRule, FreezePeriod, ProtectedEnvironment
from hotfix.spec.load import load_spec
from tests.contract import Contract

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hotfix.doctor.model import Check, Examination
    from hotfix.sandbox.projects import Project
    from hotfix.spec.model import Spec

CORE = "evenergi/bf-manage-core"
DEVELOP = "evenergi/develop"
SPEC = """\
version: 1
id: inc-1042-ocpp-timeout
title: OCPP heartbeats are dropped after 30 s
project: {project}
production_sha: {sha}
merge_requests: [812, 815]
smoke_checks:
  - name: health
    http: {{url: "{url}/-/services/{project}/health", json: {{status: ok}}}}
{more}"""
COMMANDS = Commands(again="hotfix doctor hotfix.yaml", plan="hotfix plan hotfix.yaml")


class Surgery:
    """The example world, and a spec to examine on it."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.sandbox = sandbox
        self.core: Project = sandbox.world.project(CORE)
        self.develop: Project = sandbox.world.project(DEVELOP)
        self._seen = 0
        self._spec = folder / "hotfix.yaml"
        self.team = folder / "defaults.yaml"
        self.team.write_text(f"version: 1\norchestration: {{project: {DEVELOP}}}\n")
        self.write()

    def write(self, more: str = "", **changes: str) -> None:
        sha = self.sandbox.world.production_sha(CORE)
        given = {"project": CORE, "sha": sha, "url": self.sandbox.url, "more": more, **changes}
        self._spec.write_text(SPEC.format(**given))

    def examine(self, who: str = "operator") -> Examination:
        clock, forge = SystemClock(), GitLabForge(self.sandbox.url, seed.TOKENS[who])
        return examine(self._loaded(), forge, clock, tool_version="0", commands=COMMANDS)

    def plan(self) -> None:
        forge = GitLabForge(self.sandbox.url, seed.TOKENS["operator"])
        make_plan(self._loaded(), forge, SystemClock(), tool_version="0")

    def _loaded(self) -> Spec:
        return load_spec(self._spec, gitlab=None, fallback=self.sandbox.url).spec

    def asked(self) -> list[str]:
        """List what the API was asked since the last time, sorted: threads ask in any order."""
        requests = list(self.sandbox.requests)[self._seen :]
        self._seen += len(requests)
        return sorted(
            f"{each.method} {each.path.removeprefix('/api/v4')}"
            for each in requests
            if each.path.startswith("/api/")
        )

    def outcomes(self, who: str = "operator") -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for check in self.examine(who).checks:
            found.setdefault(check.id, []).append(check.outcome)
        return found


@pytest.fixture
def surgery(tmp_path: Path) -> Iterator[Surgery]:
    """Serve the example, and hold all that was said to GitLab's own document in the end."""
    with Sandbox(seed.example(pace=0.01)) as sandbox:
        yield Surgery(sandbox, tmp_path)
        assert not sandbox.requests.writes()
        contract = Contract()
        for exchange in sandbox.requests:
            contract.check(exchange)


def one(found: Examination, name: str) -> Check:
    (check,) = (each for each in found.checks if each.id == name)
    return check


def test_a_hotfix_that_can_go_through_has_no_finding_that_stops_it(surgery: Surgery) -> None:
    surgery.core.settings.ci_forward_deployment_enabled = True

    found = surgery.examine()

    assert {check.outcome for check in found.checks} == {"passed"}
    assert not found.stops
    assert {check.id for check in found.checks} == {
        "token-scopes",
        "token-expiry",
        "clock-skew",
        "role",
        "run-pipeline",
        "push-release",
        "deploy-production",
        "push-rules",
        "forward-deployment",
        "deploy-freeze",
        "orchestration-inputs",
        "deploy-job",
        "smoke-check",
    }


def test_beside_the_plans_own_requests_each_thing_is_asked_once(surgery: Surgery) -> None:
    surgery.plan()
    plan = surgery.asked()

    surgery.examine()

    assert surgery.asked() == sorted(
        [
            *plan,
            "GET /metadata",
            "GET /personal_access_tokens/self",
            f"GET /projects/{CORE}/protected_branches",
            f"GET /projects/{CORE}/protected_environments",
            f"GET /projects/{CORE}/push_rule",
            f"GET /projects/{DEVELOP}/protected_branches",
            f"GET /projects/{CORE}/pipelines/4/jobs",
            "POST /api/graphql",
        ]
    )


def test_each_finding_says_what_to_type_next(surgery: Surgery) -> None:
    surgery.write(sha="dead" * 10)

    found = surgery.examine("reader")

    assert found.again == COMMANDS.again
    for check in found.checks:
        assert bool(check.command) == (check.outcome != "passed")
    assert one(found, "token-scopes").command == COMMANDS.again
    assert one(found, "production-unknown").command == COMMANDS.plan


@pytest.mark.parametrize(
    ("route", "name"),
    [
        ("/personal_access_tokens/self", "token-scopes"),
        ("/metadata", "clock-skew"),
        (f"{CORE}/protected_branches", "push-release"),
        (f"{DEVELOP}/protected_branches", "run-pipeline"),
        (f"{CORE}/protected_environments", "deploy-production"),
        (f"{CORE}/push_rule", "push-rules"),
        (f"{CORE}/freeze_periods", "deploy-freeze"),
        ("/graphql", "deploy-job"),
    ],
)
@pytest.mark.parametrize("status", [403, 404])
def test_what_gitlab_does_not_show_is_a_gap_and_never_fine(
    surgery: Surgery, route: str, name: str, status: int
) -> None:
    surgery.sandbox.world.tier = "premium"
    surgery.sandbox.faults.add("GET", route, status=status)
    surgery.sandbox.faults.add("POST", route, status=status)

    assert surgery.outcomes()[name] == ["not-seen"]


def test_a_look_that_gitlab_refuses_otherwise_is_a_gap_too(surgery: Surgery) -> None:
    surgery.sandbox.faults.add("GET", f"{CORE}/freeze_periods", status=400)

    assert surgery.outcomes()["deploy-freeze"] == ["not-seen"]


def test_freezes_are_asked_for_where_no_plan_can_be_made(surgery: Surgery) -> None:
    surgery.sandbox.faults.add("GET", f"{CORE}/environments", status=400)

    found = surgery.outcomes()

    assert (found["plan"], found["deploy-freeze"]) == (["failed"], ["passed"])


def test_a_token_that_only_reads_is_told_all_that_it_cannot_do(surgery: Surgery) -> None:
    found = surgery.outcomes("reader")

    assert found["token-scopes"] == ["failed"]
    assert found["role"] == ["failed", "failed"]
    assert found["run-pipeline"] == found["push-release"] == ["failed"]
    assert found["forward-deployment"] == ["not-seen"]
    assert found["orchestration-inputs"] == found["deploy-job"] == ["passed"]


def test_rules_that_would_refuse_the_planned_commits_are_told(surgery: Surgery) -> None:
    surgery.sandbox.world.tier = "premium"
    surgery.core.push_rule = {
        "id": 1,
        "commit_committer_check": True,
        "reject_unsigned_commits": True,
        "commit_message_regex": "^(feat|fix|perf|refactor)(\\(.+\\))?: ",
        "commit_message_negative_regex": "heartbeat",
    }

    found = [check for check in surgery.examine().checks if check.id == "push-rules"]

    assert [check.outcome for check in found] == ["failed"] * 3
    assert "operator@example.com" in found[0].hint
    assert "no signature" in found[1].message
    assert "`heartbeat`, which refuses pick of !8" in found[2].message


def test_protected_production_approvals_and_a_freeze_are_told(surgery: Surgery) -> None:
    surgery.sandbox.world.tier = "premium"
    surgery.core.protected_environments.append(
        ProtectedEnvironment("production", 50, approval_rules=(ApprovalRule(2, 40),))
    )
    now = surgery.sandbox.world.clock.now()
    surgery.core.freeze_periods.append(FreezePeriod(1, "0 0 * * *", "59 23 * * *", "UTC", now))

    found = surgery.outcomes()

    assert found["deploy-production"] == ["failed"]
    assert found["deployment-approvals"] == found["deploy-freeze"] == ["warning"]


@pytest.mark.parametrize(("role", "outcome"), [("maintainer", "passed"), ("owner", "failed")])
def test_the_role_for_variables_counts_where_variables_are_sent(
    surgery: Surgery, role: str, outcome: str
) -> None:
    surgery.develop.settings.ci_pipeline_variables_minimum_override_role = role
    surgery.team.write_text(
        f"version: 1\norchestration: {{project: {DEVELOP}, send_as: variables}}\n"
    )

    assert surgery.outcomes()["pipeline-variables"] == [outcome]


def test_inputs_that_the_orchestrator_does_not_declare_are_told(surgery: Surgery) -> None:
    surgery.team.write_text(
        f"version: 1\norchestration: {{project: {DEVELOP}, inputs: {{speed: fast}}}}\n"
    )

    found = surgery.examine()

    check = one(found, "orchestration-inputs")
    assert (check.outcome, "declares no input `speed`" in check.message) == ("failed", True)


def test_a_production_job_of_another_name_is_told_with_those_there_are(surgery: Surgery) -> None:
    surgery.write("deploy: {job: deploy-prod}\n")

    check = one(surgery.examine(), "deploy-job")

    assert (check.outcome, "deploy-production" in check.hint) == ("failed", True)


def test_a_production_job_of_a_new_name_is_found_in_the_newest_pipeline(surgery: Surgery) -> None:
    surgery.write("deploy: {job: deploy-live}\n")
    newest = [each for each in surgery.core.pipelines if each.ref == "release"][-1]
    (job,) = (each for each in newest.jobs if each.name == "deploy-production")
    job.definition = replace(job.definition, name="deploy-live")

    assert one(surgery.examine(), "deploy-job").outcome == "passed"


def test_a_service_that_is_down_is_red_already_and_says_no_commit(surgery: Surgery) -> None:
    url = f"{surgery.sandbox.url}/-/services/{CORE}/health"
    surgery.write(f'production_version: {{url: "{url}", json: none.there}}\n')
    surgery.core.service_status = "down"

    found = surgery.outcomes()

    assert found["smoke-check"] == found["production-version"] == ["warning"]


def test_no_program_is_started_and_nobody_is_asked(surgery: Surgery, tmp_path: Path) -> None:
    surgery.team.write_text(
        f"version: 1\norchestration: {{project: {DEVELOP}}}\npolicy: {{allow_commands: true}}\n"
    )
    mark = tmp_path / "started"
    surgery.write(
        f"  - {{name: local, command: {{argv: [touch, '{mark}']}}}}\n"
        "  - {name: eyes, manual: {question: Well?}}\n"
    )

    assert surgery.outcomes()["smoke-check"] == ["not-seen", "passed", "passed"]
    assert not mark.exists()


def test_a_project_that_is_not_shown_is_told_and_the_rest_is_looked_at(surgery: Surgery) -> None:
    surgery.write(project="evenergi/none")

    found = surgery.examine()

    absent = one(found, "project")
    assert (absent.target, absent.outcome) == ("evenergi/none", "failed")
    assert one(found, "plan").message.startswith("No plan can be made: GitLab answered 404")
    assert one(found, "run-pipeline").outcome == "passed"
    assert "deploy-job" not in {check.id for check in found.checks}


def test_without_a_plan_no_commit_is_taken_for_accepted(surgery: Surgery) -> None:
    surgery.sandbox.world.tier = "premium"
    surgery.write(sha="dead" * 10)

    found = surgery.examine()

    assert one(found, "push-rules").outcome == "not-seen"
    assert one(found, "production-unknown").outcome == "failed"


def test_findings_stand_before_what_is_fine(surgery: Surgery) -> None:
    order = ["failed", "warning", "not-seen", "passed"]

    told = [order.index(check.outcome) for check in surgery.examine("author").checks]

    assert told == sorted(told)
    assert told[0] == 0


def test_a_gitlab_that_does_not_take_the_token_can_tell_nothing(surgery: Surgery) -> None:
    surgery.sandbox.faults.add("GET", "/user", status=401)

    with pytest.raises(ForgeError) as caught:
        surgery.examine()

    assert caught.value.status == 401


def test_each_target_is_examined_for_itself(surgery: Surgery) -> None:
    ledger: Any = surgery.sandbox.world.project("evenergi/bf-ledger")
    ledger.settings.archived = True
    text = (
        "version: 1\nid: inc-1\ntitle: Two\ntargets:\n"
        f"  - {{project: {CORE}, production_sha: {surgery.sandbox.world.production_sha(CORE)}, "
        "merge_requests: [812], smoke_checks: [{name: a, manual: {question: Well?}}]}\n"
        f"  - {{project: {ledger.path}, "
        f"production_sha: {surgery.sandbox.world.production_sha(ledger.path)}, "
        "merge_requests: [54], smoke_checks: [{name: a, manual: {question: Well?}}]}\n"
    )
    surgery.team.with_name("hotfix.yaml").write_text(text)

    roles = {each.target: each.outcome for each in surgery.examine().checks if each.id == "role"}

    assert roles == {DEVELOP: "passed", CORE: "passed", ledger.path: "failed"}
