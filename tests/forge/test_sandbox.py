"""Every method of the Protocols, against the embedded GitLab."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import pytest
from dulwich.objects import Commit, ObjectID

from hotfix.forge.gitlab import GitLabForge
from hotfix.forge.protocol import ForgeError, NotFoundError, StaleRefError, UnknownOutcomeError
from hotfix.forge.types import DEVELOPER, MAINTAINER, NewIncident, Noteable
from hotfix.identifiers import ZERO, Sha
from hotfix.sandbox import Sandbox, seed

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotfix.forge.protocol import Forge, Repository
    from hotfix.forge.types import Pipeline
    from tests.forge.conftest import StillClock

T = TypeVar("T")
CORE = "evenergi/bf-manage-core"
RELEASE = "refs/heads/release"
GUIDED = {"action": "deploy-release-branch-to-staging", "project": CORE, "confirm": True}
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def forge(forge_of: Callable[[str], Forge]) -> Forge:
    return forge_of("operator")


def open_core(forge: Forge) -> Repository:
    return forge.repository(forge.project(CORE))


def commit_on(parent: Sha, repository: Repository) -> Commit:
    """Make a commit with the tree of its parent, so that it is all that the server lacks."""
    base = repository.fetch([parent])[parent.encode()]
    assert isinstance(base, Commit)
    made = Commit()
    made.tree = base.tree
    made.parents = [ObjectID(parent.encode())]
    made.author = made.committer = b"hotfix <hotfix@noreply.example.com>"
    made.author_time = made.commit_time = 1_800_000_000
    made.author_timezone = made.commit_timezone = 0
    made.message = b"fix: restore release\n"
    return made


def sha_of(commit: Commit) -> Sha:
    return Sha(commit.id.decode())


def eventually(look: Callable[[], T | None]) -> T:
    for _ in range(200):
        if found := look():
            return found
        time.sleep(0.02)
    pytest.fail("it never came")


def test_user_and_project_are_told_once(forge: Forge, sandbox: Sandbox) -> None:
    for _ in range(2):
        assert forge.current_user().username == "operator"
        project = forge.project(CORE)

    assert project.path == CORE
    assert project.access_level == MAINTAINER
    assert project.http_url_to_repo == f"{sandbox.url}/{CORE}.git"
    assert len(sandbox.requests) == 2


def test_a_hidden_project_is_not_found(forge_of: Callable[[str], Forge]) -> None:
    with pytest.raises(NotFoundError, match=f"GET /projects/{CORE}: 404 Project Not Found"):
        forge_of("outsider").project(CORE)


def test_a_wrong_token_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(ForgeError) as caught:
        GitLabForge(sandbox.url, "glpat-wrong").current_user()

    assert caught.value.status == 401
    assert "HOTFIX_TOKEN" in caught.value.hint


def test_a_merge_request_its_commits_and_its_approvals(forge: Forge) -> None:
    found = forge.merge_request(CORE, 812)
    commits = forge.merge_request_commits(CORE, 812)
    approvals = forge.approvals(CORE, 812)

    assert (found.state, found.target_branch) == ("merged", "main")
    assert found.sha == commits[-1]
    assert found.merge_commit_sha is not None
    assert [each.user.username for each in approvals.approved_by] == ["reviewer"]
    assert forge.approvals(CORE, 817).approved_by == ()
    assert 812 in {each.iid for each in forge.commit_merge_requests(CORE, found.merge_commit_sha)}


def test_the_commits_of_a_merge_request_come_oldest_first(forge: Forge) -> None:
    ledger = "evenergi/bf-ledger"
    commits = forge.merge_request_commits(ledger, 54)

    reader = forge.repository(forge.project(ledger)).fetch(commits)

    assert len(commits) == 2
    assert commits[-1] == forge.merge_request(ledger, 54).sha
    last = reader[commits[1].encode()]
    assert isinstance(last, Commit)
    assert last.parents == [commits[0].encode()]


def test_the_last_deployment_is_the_one_that_finished_last(forge: Forge) -> None:
    environment = forge.environment(CORE, "production")
    by_finish = forge.deployments(CORE, "production", limit=2)
    by_id = forge.deployments(CORE, "production", order_by="id", status="success")

    assert environment.last_deployment == by_finish[0]
    assert len(by_finish) == 2
    assert by_finish[0].id < by_id[0].id
    assert [each.id for each in by_id] == sorted((each.id for each in by_id), reverse=True)
    with pytest.raises(NotFoundError, match="no environment 'prod'"):
        forge.environment(CORE, "prod")


def test_a_file_is_read_from_a_ref(forge: Forge) -> None:
    content = forge.file(seed.ORCHESTRATOR, ".gitlab-ci.yml", "main")

    assert b"spec:" in content
    with pytest.raises(NotFoundError):
        forge.file(CORE, "no/such file", "main")


def run_guided(forge: Forge) -> tuple[Pipeline, Pipeline]:
    """Start the guided pipeline and wait for its downstream pipeline."""
    started = forge.create_pipeline(seed.ORCHESTRATOR, "main", inputs=GUIDED)

    def downstream() -> Pipeline | None:
        bridges = forge.bridges(seed.ORCHESTRATOR, started.id)
        return next((bridge.downstream for bridge in bridges if bridge.downstream), None)

    return started, eventually(downstream)


def test_a_guided_pipeline_runs_to_the_manual_job_and_is_pressed(forge: Forge) -> None:
    head = open_core(forge).refs()[RELEASE]

    started, downstream = run_guided(forge)

    assert (started.source, started.ref) == ("api", "main")
    assert (downstream.project_id, downstream.sha) == (forge.project(CORE).id, head)
    newest = forge.pipelines(seed.ORCHESTRATOR, source="api", username="operator", limit=1)
    assert [pipeline.id for pipeline in newest] == [started.id]
    assert forge.pipelines(CORE, ref="release", sha=head)[0].id == downstream.id
    user = forge.pipeline(CORE, downstream.id).user
    assert user is not None
    assert user.username == "operator"

    manual = eventually(
        lambda: next(
            (job for job in forge.jobs(CORE, downstream.id) if job.status == "manual"), None
        )
    )
    pressed = forge.play(CORE, manual.id)
    assert pressed.id == manual.id
    assert pressed.status != "manual"
    done = eventually(
        lambda: job if (job := forge.job(CORE, manual.id)).status == "success" else None
    )
    assert done.finished_at is not None
    assert forge.trace(CORE, manual.id)
    last = forge.environment(CORE, "production").last_deployment
    assert last is not None
    assert last.job is not None
    assert (last.job.id, last.sha) == (manual.id, head)


def test_inputs_that_the_orchestrator_does_not_know_are_refused_in_its_words(forge: Forge) -> None:
    with pytest.raises(ForgeError, match="nonsense") as caught:
        forge.create_pipeline(seed.ORCHESTRATOR, "main", inputs=GUIDED | {"nonsense": "x"})

    assert caught.value.status == 400
    assert not isinstance(caught.value, UnknownOutcomeError)


def test_a_pipeline_whose_answer_was_lost_is_found_by_looking(
    forge: Forge, sandbox: Sandbox
) -> None:
    before = forge.pipelines(seed.ORCHESTRATOR, limit=1)
    sandbox.faults.add("POST", "/pipeline$", when="after", reset=True)

    with pytest.raises(UnknownOutcomeError):
        forge.create_pipeline(seed.ORCHESTRATOR, "main", inputs=GUIDED)

    found = forge.pipelines(seed.ORCHESTRATOR, source="api", username="operator", limit=1)
    assert found[0].id > (before[0].id if before else 0)
    assert len(sandbox.requests.matching("POST", "/pipeline$")) == 1


def test_a_read_outlives_a_passing_fault(forge: Forge, sandbox: Sandbox, clock: StillClock) -> None:
    sandbox.faults.add("GET", "/user", status=429)
    sandbox.faults.add("GET", "/user", occurrence=2, status=502)
    sandbox.faults.add("GET", "/user", occurrence=3, reset=True)

    assert forge.current_user().username == "operator"
    assert len(clock.slept) == 3


def test_an_incident_from_its_template_to_its_timeline(forge: Forge) -> None:
    project = seed.ORCHESTRATOR
    marker = "<!-- hotfix-run: 0d9f -->"
    template = forge.issue_template(project, "incident")
    assert forge.find_issues(project, marker) == ()

    made = forge.create_incident(
        project,
        NewIncident("Outage", f"{template}\n{marker}", "high", ("hotfix", "p1"), ("reviewer",)),
    )

    assert (made.severity, made.state) == ("high", "opened")
    assert forge.find_issues(project, marker) == (forge.issue(project, made.iid),)
    stored = forge.update_description(project, made.iid, f"text\n/close\n{marker}")
    assert "/close" not in stored.description
    assert stored.state == "closed"
    assert [issue.iid for issue in forge.find_issues(project, marker)] == [made.iid]

    assert forge.timeline(project, made) == ()
    forge.add_timeline_event(project, made, occurred_at=NOON, note="deployed")
    forge.add_timeline_event(project, made, occurred_at=NOON.replace(hour=11), note="restored")
    events = forge.timeline(project, made)
    assert [(event.note, event.occurred_at.hour) for event in events] == [
        ("restored", 11),
        ("deployed", 12),
    ]


def test_a_read_only_token_may_look_and_change_nothing(
    forge_of: Callable[[str], Forge], sandbox: Sandbox
) -> None:
    forge = forge_of("operator-readonly")
    incident = forge.issue(seed.ORCHESTRATOR, 1041)
    repository = open_core(forge)
    head = repository.refs()[RELEASE]
    commit = commit_on(head, repository)
    writes: list[Callable[[], object]] = [
        lambda: forge.create_pipeline(seed.ORCHESTRATOR, "main", inputs=GUIDED),
        lambda: forge.play(CORE, 24),
        lambda: forge.create_incident(
            seed.ORCHESTRATOR, NewIncident("Outage", "text", None, (), ())
        ),
        lambda: forge.update_description(seed.ORCHESTRATOR, 1041, "text"),
        lambda: forge.add_timeline_event(seed.ORCHESTRATOR, incident, occurred_at=NOON, note="x"),
        lambda: repository.push(RELEASE, old=head, new=sha_of(commit), objects=[commit]),
    ]

    for write in writes:
        with pytest.raises(ForgeError) as caught:
            write()
        assert caught.value.status in {401, 403}, caught.value
        assert not isinstance(caught.value, UnknownOutcomeError)
    assert repository.refs()[RELEASE] == head
    assert forge.timeline(seed.ORCHESTRATOR, incident) == ()
    assert all(seed.TOKENS["operator-readonly"] not in str(one) for one in sandbox.requests)


def test_release_is_pushed_and_read_back(forge: Forge) -> None:
    repository = open_core(forge)
    assert repository is open_core(forge)
    head = repository.refs()[RELEASE]
    commit = commit_on(head, repository)

    repository.push(RELEASE, old=head, new=sha_of(commit), objects=[commit])

    assert repository.refs(RELEASE) == {RELEASE: sha_of(commit)}
    assert repository.fetch([sha_of(commit)])[commit.id].as_raw_string() == commit.as_raw_string()


def test_a_release_that_somebody_moved_is_stale(
    forge: Forge, forge_of: Callable[[str], Forge]
) -> None:
    repository, others = open_core(forge), open_core(forge_of("operator"))
    head = repository.refs()[RELEASE]
    theirs = commit_on(head, others)
    others.push(RELEASE, old=head, new=sha_of(theirs), objects=[theirs])
    ours = commit_on(head, repository)
    ours.message = b"ours\n"

    with pytest.raises(StaleRefError, match=f"stands at {sha_of(theirs)[:8]}"):
        repository.push(RELEASE, old=head, new=sha_of(ours), objects=[ours])

    assert repository.refs()[RELEASE] == sha_of(theirs)


def test_a_protected_branch_refuses_in_gitlabs_words(forge_of: Callable[[str], Forge]) -> None:
    repository = open_core(forge_of("author"))
    head = repository.refs()[RELEASE]
    commit = commit_on(head, repository)

    with pytest.raises(ForgeError, match="not allowed to push code to protected branches"):
        repository.push(RELEASE, old=head, new=sha_of(commit), objects=[commit])

    assert repository.refs()[RELEASE] == head


def test_a_push_whose_answer_was_lost_is_found_by_looking(forge: Forge, sandbox: Sandbox) -> None:
    repository = open_core(forge)
    head = repository.refs()[RELEASE]
    commit = commit_on(head, repository)
    sandbox.faults.add("POST", "git-receive-pack", when="after", reset=True)

    with pytest.raises(UnknownOutcomeError):
        repository.push(RELEASE, old=head, new=sha_of(commit), objects=[commit])

    assert repository.refs()[RELEASE] == sha_of(commit)


def test_a_lock_ref_is_taken_once_and_given_back(
    forge: Forge, forge_of: Callable[[str], Forge]
) -> None:
    repository, others = open_core(forge), open_core(forge_of("operator"))
    head = repository.refs()[RELEASE]
    lock = "refs/hotfix/lock"

    repository.push(lock, old=ZERO, new=head, objects=[])
    with pytest.raises(StaleRefError, match="was expected not to exist"):
        others.push(lock, old=ZERO, new=head, objects=[])
    repository.push(lock, old=head, new=ZERO, objects=[])

    assert others.refs("refs/hotfix/") == {}


def test_a_terraform_state_is_locked_once_and_given_back(
    forge: Forge, forge_of: Callable[[str], Forge]
) -> None:
    name = "hotfix-release"
    assert forge.locked_states(CORE) == ()

    taken = forge.lock_state(CORE, name, "one", info="")
    again = forge.lock_state(CORE, name, "one", info="")
    other = forge_of("operator").lock_state(CORE, name, "two", info="")

    assert (taken.id, taken.who, taken.is_new) == ("one", "operator", True)
    assert (again.id, again.is_new) == (other.id, other.is_new) == ("one", False)
    assert forge.locked_states(CORE) == (name,)
    assert not forge.unlock_state(CORE, name, "two")
    assert forge.unlock_state(CORE, name, "one")
    assert not forge.unlock_state(CORE, name, "one")
    assert forge.locked_states(CORE) == ()
    with pytest.raises(ForgeError, match="403"):
        forge_of("author").lock_state(CORE, name, "three", info="")


def test_a_terraform_lock_whose_answer_was_lost_is_found_by_asking_again(
    forge: Forge, sandbox: Sandbox
) -> None:
    sandbox.faults.add("POST", "/lock$", when="after", reset=True)
    with pytest.raises(UnknownOutcomeError):
        forge.lock_state(CORE, "hotfix-release", "one", info="")

    assert forge.lock_state(CORE, "hotfix-release", "one", info="").id == "one"


def test_a_commit_that_no_branch_holds_is_fetched_and_a_missing_one_named(forge: Forge) -> None:
    repository = open_core(forge)
    deployed = [each.sha for each in forge.deployments(CORE, "production")]

    reader = repository.fetch(deployed)

    assert all(sha.encode() in reader for sha in deployed)
    with pytest.raises(NotFoundError, match="1" * 40):
        repository.fetch([deployed[0], Sha("1" * 40)])


@pytest.mark.parametrize("kind", ["merge_requests", "issues"])
def test_a_comment_is_read_back_with_who_wrote_it_and_when(
    forge: Forge, forge_of: Callable[[str], Forge], kind: str
) -> None:
    on = {
        "merge_requests": Noteable("merge_requests", CORE, 812),
        "issues": Noteable("issues", seed.ORCHESTRATOR, 1041),
    }[kind]
    first = forge_of("reviewer").add_note(on, "One `x`")
    forge.add_note(on, "Two")

    found = forge.notes(on)

    assert [(each.body, each.author.username) for each in found] == [
        ("One `x`", "reviewer"),
        ("Two", "operator"),
    ]
    assert found[0] == first
    assert not first.is_system
    assert not first.is_imported
    assert str(on) in {f"{CORE}!812", f"{seed.ORCHESTRATOR}#1041"}


def test_an_account_its_role_and_its_groups(
    sandbox: Sandbox, forge: Forge, forge_of: Callable[[str], Forge]
) -> None:
    reviewer, outsider = (sandbox.world.user(name) for name in ("reviewer", "outsider"))
    outsider.bot, outsider.state = True, "blocked"

    person, robot = forge.account(reviewer.id), forge.account(outsider.id)

    assert (person.user.username, person.is_bot, person.is_active) == ("reviewer", False, True)
    assert (robot.is_bot, robot.is_active) == (True, False)
    assert forge.role(CORE, reviewer.id) == DEVELOPER
    assert forge.role(CORE, outsider.id) is None
    assert forge.is_direct_member("evenergi", reviewer.id)
    assert not forge.is_direct_member("evenergi", outsider.id)
    assert not forge_of("outsider").is_direct_member("evenergi", reviewer.id)
