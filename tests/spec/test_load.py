from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hotfix.canonical import digest
from hotfix.errors import InputError
from hotfix.spec.load import find_defaults, load_spec, load_specs
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
    Resolution,
    SmokeCheck,
    Spec,
    Target,
    TargetOrchestration,
)
from hotfix.spec.problem import SpecError

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotfix.spec.load import Loaded

CORE = "5f2c0d0c8f0b5f8a3a2e6f9f0c1d2e3f4a5b6c7d"
WEB = "0c1d2e3f4a5b6c7d5f2c0d0c8f0b5f8a3a2e6f9f"


def load(text: str, name: str = "hotfix.yaml", gitlab: str | None = None) -> Loaded:
    Path(name).write_text(text, "utf-8")
    return load_spec(Path(name), gitlab=gitlab)


def refusal(text: str) -> str:
    with pytest.raises(SpecError) as refused:
        load(text)
    return refused.value.message


def test_the_form_for_one_repository_has_every_default_filled_in(
    plans: Path, good: Callable[[str], str]
) -> None:
    loaded = load(good("single"))

    assert loaded.spec == Spec(
        version=1,
        id="inc-1042-ocpp-timeout",
        title="OCPP heartbeats are dropped after 30 s",
        targets=(
            Target(
                project="evenergi/bf-manage-core",
                production_sha=CORE,
                merge_requests=(
                    MergeRequestRef(project="evenergi/bf-manage-core", iid=812),
                    MergeRequestRef(project="evenergi/bf-manage-core", iid=815),
                ),
                smoke_checks=(
                    SmokeCheck(
                        name="health",
                        http=HttpCheck(
                            url="https://core.example.com/health",
                            method="GET",
                            status=200,
                            json_subset={"status": "ok"},
                        ),
                        retries=3,
                        delay=5.0,
                        timeout=10.0,
                    ),
                ),
                release_branch="release",
                environment="production",
                restore_message="fix: restore release to last production state",
                resolutions=(),
                orchestration=TargetOrchestration(
                    project_value="{path}",
                    inputs={
                        "action": "deploy-release-branch-to-staging",
                        "project": "evenergi/bf-manage-core",
                        "confirm": True,
                    },
                ),
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
            severity=None,
            labels=(),
            assignees=(),
            follow_ups=(),
        ),
        committer=Committer(name="hotfix", email="hotfix@noreply.gitlab.example.com"),
        requested_at=None,
        policy=Policy(approvals=ApprovalPolicy(minimum=1, not_author=True), allow_commands=False),
    )
    assert loaded.gitlab == "https://gitlab.example.com"
    assert loaded.path == Path("hotfix.yaml")
    assert loaded.defaults_path == plans.resolve() / "defaults.yaml"


@pytest.mark.usefixtures("plans")
def test_the_form_for_several_repositories_keeps_their_order(good: Callable[[str], str]) -> None:
    spec = load(good("targets")).spec

    assert [target.project for target in spec.targets] == [
        "evenergi/bf-manage-core",
        "evenergi/bf-manage-web",
    ]
    assert spec.targets[1].merge_requests == (
        MergeRequestRef(project="evenergi/bf-manage-web", iid=77),
    )
    assert spec.targets[1].smoke_checks[0].manual == ManualCheck(question="Can a driver log in?")
    assert spec.targets[1].smoke_checks[0].kind == "manual"
    assert spec.targets[1].after == ("evenergi/bf-manage-core",)
    assert [target.orchestration.inputs["project"] for target in spec.targets] == [
        "evenergi/bf-manage-core",
        "evenergi/bf-manage-web",
    ]


def test_every_key_reaches_the_spec(plans: Path, good: Callable[[str], str]) -> None:
    allow_commands(plans)

    loaded = load(good("everything"))

    core, web = loaded.spec.targets
    assert loaded.gitlab == "https://gitlab.example.com:8443/git"
    assert loaded.spec.requested_at == "2026-11-22T03:00:00Z"
    assert loaded.spec.title.endswith("bring-all-code-to-release-branch was not it")
    assert core.production_sha == "1234567890123456789012345678901234567890"
    assert core.merge_requests[1] == MergeRequestRef(project="other/fork", iid=3)
    assert [check.kind for check in core.smoke_checks] == [
        "http",
        "tcp",
        "tls",
        "command",
        "manual",
    ]
    http = core.smoke_checks[0].http
    assert http is not None
    assert http.json_subset == {
        "status": "ok",
        "parts": [{"name": "db", "up": True}],
        "error": None,
        "load": 0.5,
    }
    assert core.resolutions == (Resolution(merge_request=812, commit=core.production_sha),)
    assert (core.release_branch, web.release_branch) == ("release/core", "release")
    assert (core.environment, web.environment) == ("production/eu", "production")
    assert (core.restore_message, web.restore_message) == (
        "fix: back to production",
        "fix: restore release",
    )
    assert (core.deploy.job, web.deploy.job) == ("deploy-core", "deploy")
    assert (core.lock, web.lock) == ("terraform-state", "ref")
    assert core.orchestration == TargetOrchestration(
        project_value="core",
        inputs={
            "action": "deploy-release-branch-to-staging",
            "project": "core",
            "confirm": True,
            "region": "eu",
            "dry_run": False,
            "parallel": 2,
            "share": 0.25,
            "hosts": ("a", "b"),
        },
    )
    assert web.orchestration.inputs["project"] == "web"
    assert loaded.spec.orchestration.operation_input == "operation"
    assert loaded.spec.incident == Incident(
        project="ops/incidents",
        iid=None,
        create=True,
        template="hotfix",
        severity="high",
        labels=("hotfix", "team::core"),
        assignees=("jane",),
        follow_ups=("Raise the timeout in the chargers, too",),
    )
    assert loaded.spec.committer == Committer(name="Release Bot", email="bot@example.com")
    assert loaded.spec.policy == Policy(
        approvals=ApprovalPolicy(minimum=2, not_author=False), allow_commands=True
    )


@pytest.mark.parametrize("name", ["single", "targets", "everything"])
def test_a_spec_survives_the_plan_file(name: str, plans: Path, good: Callable[[str], str]) -> None:
    allow_commands(plans)
    spec = load(good(name)).spec

    again = Spec.model_validate_json(spec.model_dump_json())

    assert again == spec
    assert digest(again.model_dump(mode="json")) == digest(spec.model_dump(mode="json"))


@pytest.mark.usefixtures("plans")
def test_a_lock_that_is_the_built_in_one_leaves_the_digest_as_it_was(
    good: Callable[[str], str],
) -> None:
    spec = load(good("single")).spec
    said = load(good("single") + "lock: ref\n").spec
    other = load(good("single") + "lock: terraform-state\n").spec

    assert said.model_dump_json() == spec.model_dump_json()
    assert '"lock"' not in spec.model_dump_json()
    assert digest(other.model_dump(mode="json")) != digest(spec.model_dump(mode="json"))


def test_the_nearest_level_wins_key_by_key(plans: Path, good: Callable[[str], str]) -> None:
    (plans / "defaults.yaml").write_text(
        """
version: 1
gitlab: https://gitlab.example.com
release_branch: from-defaults
environment: from-defaults
deploy: {job: from-defaults}
orchestration:
  project: evenergi/develop
  ref: from-defaults
  inputs: {action: custom, region: from-defaults, extra: 1}
committer: {name: From Defaults, email: defaults@example.com}
incident: {project: ops/incidents, severity: low, labels: [from-defaults]}
policy: {approvals: {minimum: 3, not_author: false}}
""",
        "utf-8",
    )

    spec = load(
        good("targets").replace("    after:", "    environment: from-target\n    after:")
        + """
environment: from-spec
orchestration: {ref: from-spec, inputs: {region: from-spec}}
committer: {name: From Spec}
incident: {severity: high}
policy: {approvals: {minimum: 0}}
"""
    ).spec

    core, web = spec.targets
    assert core.release_branch == "from-defaults"
    assert (core.environment, web.environment) == ("from-spec", "from-target")
    assert core.deploy.job == "from-defaults"
    assert (spec.orchestration.project, spec.orchestration.ref) == ("evenergi/develop", "from-spec")
    assert core.orchestration.inputs == {
        "action": "custom",
        "project": "evenergi/bf-manage-core",
        "confirm": True,
        "region": "from-spec",
        "extra": 1,
    }
    assert spec.committer == Committer(name="From Spec", email="defaults@example.com")
    assert (spec.incident.severity, spec.incident.labels) == ("high", ("from-defaults",))
    assert spec.policy.approvals == ApprovalPolicy(minimum=0, not_author=False)


@pytest.mark.usefixtures("plans")
@pytest.mark.parametrize(
    ("orchestration", "sent"),
    [
        ("{}", "evenergi/bf-manage-core"),
        ('{project_value: "{path}"}', "evenergi/bf-manage-core"),
        ('{project_value: "{name}"}', "bf-manage-core"),
        ("{project_value: core}", "core"),
        ("{inputs: {project: core}}", "core"),
        ('{project_value: "services/{name}"}', "services/bf-manage-core"),
    ],
)
def test_the_target_is_named_as_the_orchestrator_wants(
    orchestration: str, sent: str, good: Callable[[str], str]
) -> None:
    spec = load(f"{good('single')}orchestration: {orchestration}\n").spec

    assert spec.targets[0].orchestration.inputs["project"] == sent


def test_a_nearer_project_value_wins_over_a_farther_input(
    plans: Path, good: Callable[[str], str]
) -> None:
    (plans / "defaults.yaml").write_text(
        "version: 1\norchestration: {project: a/b, inputs: {project: far}}\n", "utf-8"
    )

    spec = load(good("single") + 'orchestration: {project_value: "{name}"}\n').spec

    assert spec.targets[0].orchestration.inputs["project"] == "bf-manage-core"


def test_an_existing_incident_takes_the_place_of_the_defaults_new_one(
    plans: Path, good: Callable[[str], str]
) -> None:
    with (plans / "defaults.yaml").open("a", encoding="utf-8") as file:
        file.write("incident: {project: ops/incidents, create: true, template: hotfix}\n")

    incident = load(good("single") + "incident: {iid: 7}\n").spec.incident

    assert (incident.project, incident.iid, incident.create, incident.template) == (
        "ops/incidents",
        7,
        False,
        None,
    )


@pytest.mark.usefixtures("plans")
def test_the_gitlab_of_the_command_line_wins_and_names_the_committer(
    good: Callable[[str], str],
) -> None:
    loaded = load(good("single"), gitlab="http://127.0.0.1:8080/")

    assert loaded.gitlab == "http://127.0.0.1:8080"
    assert loaded.spec.committer.email == "hotfix@noreply.127.0.0.1"


def test_without_any_gitlab_a_spec_loads_for_a_check_but_not_for_a_plan(
    plans: Path, good: Callable[[str], str]
) -> None:
    (plans / "defaults.yaml").write_text("version: 1\norchestration: {project: a/b}\n", "utf-8")

    loaded = load(good("single"))

    assert loaded.gitlab is None
    assert loaded.spec.committer.email == "hotfix@noreply.gitlab.invalid"
    with pytest.raises(InputError, match="which GitLab") as refused:
        load_spec(Path("hotfix.yaml"), gitlab=None, require_gitlab=True)
    assert "HOTFIX_GITLAB_URL" in refused.value.hint
    fallback = load_spec(
        Path("hotfix.yaml"), gitlab=None, fallback="https://ci.example.com", require_gitlab=True
    )
    assert fallback.gitlab == "https://ci.example.com"


@pytest.mark.usefixtures("plans")
@pytest.mark.parametrize(
    "url",
    [
        "http://gitlab.example.com",
        "https://jane:canary@gitlab.example.com",
        "ftp://x",
        "https://",
    ],
)
def test_a_gitlab_that_a_token_must_not_go_to_is_refused(
    url: str, good: Callable[[str], str]
) -> None:
    (Path("hotfix.yaml")).write_text(good("single"), "utf-8")

    with pytest.raises(InputError) as refused:
        load_spec(Path("hotfix.yaml"), gitlab=url)

    assert refused.value.code == "invalid-gitlab-url"
    assert "canary" not in str(refused.value)


def test_the_nearest_defaults_are_found_up_to_the_repositorys_root(tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    folder = repository / "plans" / "inc-1"
    folder.mkdir(parents=True)
    (tmp_path / "defaults.yaml").touch()
    (repository / ".git").mkdir()
    spec = folder / "hotfix.yaml"

    assert find_defaults(spec) is None
    (repository / "defaults.yaml").touch()
    assert find_defaults(spec) == repository.resolve() / "defaults.yaml"
    (repository / "plans" / "defaults.yaml").touch()
    assert find_defaults(spec) == repository.resolve() / "plans" / "defaults.yaml"
    (folder / "defaults.yaml").touch()
    assert find_defaults(spec) == folder.resolve() / "defaults.yaml"


def test_defaults_in_a_folder_that_strangers_share_are_not_found(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    own = shared / "own"
    own.mkdir(parents=True)
    (shared / "defaults.yaml").touch()

    assert find_defaults(own / "hotfix.yaml") == shared.resolve() / "defaults.yaml"
    shared.chmod(0o1777)
    assert find_defaults(own / "hotfix.yaml") is None
    shared.chmod(0o777)
    assert find_defaults(own / "hotfix.yaml") is not None


@pytest.mark.usefixtures("plans")
def test_two_specs_with_one_id_are_refused_at_the_second(good: Callable[[str], str]) -> None:
    for name in ("one.yaml", "two.yaml"):
        Path(name).write_text(good("single"), "utf-8")
    Path("three.yaml").write_text("version: 2", "utf-8")

    assert len(load_specs([Path("one.yaml")], gitlab=None)) == 1
    with pytest.raises(SpecError) as refused:
        load_specs([Path("one.yaml"), Path("three.yaml"), Path("two.yaml")], gitlab=None)

    assert str(refused.value.problems[-1]) == (
        "two.yaml:2:5: the id `inc-1042-ocpp-timeout` is another spec's too\n"
        "    2 | id: inc-1042-ocpp-timeout\n"
        "      |     ^^^^^^^^^^^^^^^^^^^^^\n"
        "    `one.yaml` has it; choose another."
    )
    assert {problem.file for problem in refused.value.problems} == {"three.yaml", "two.yaml"}


@pytest.mark.usefixtures("plans")
def test_a_file_that_is_not_there_is_an_input_error() -> None:
    with pytest.raises(InputError, match=r"missing\.yaml cannot be read") as refused:
        load_spec(Path("no/such/folder/missing.yaml"), gitlab=None)

    assert refused.value.code == "unreadable-file"


@pytest.mark.usefixtures("plans")
def test_the_message_counts_the_problems_and_shows_them(good: Callable[[str], str]) -> None:
    text = good("single").replace(CORE, "5f2c").replace("[812, 815]", "[]")

    message = refusal(text)

    assert message.startswith("2 problems in hotfix.yaml\nhotfix.yaml:5:17: ")
    assert "\nhotfix.yaml:6:17: " in message


@pytest.mark.usefixtures("plans")
def test_thousands_of_problems_are_counted_and_not_all_printed(good: Callable[[str], str]) -> None:
    text = good("single").replace("[812, 815]", str(list(range(-1000, 0))))

    message = refusal(text)

    assert message.startswith("1000 problems")
    assert message.endswith("… and 900 more")


def allow_commands(plans: Path) -> None:
    with (plans / "defaults.yaml").open("a", encoding="utf-8") as file:
        file.write("policy: {allow_commands: true}\n")
