"""A pipeline that is at work on the planned head already: whose it is, and what becomes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hotfix.apply.at_work import operation_key
from hotfix.apply.look import Remembering, look
from hotfix.apply.ports import Yes
from hotfix.errors import BlockedError, FailedError, WaitingError
from hotfix.sandbox import pipelines, seed
from hotfix.sandbox.pipelines import Order, create
from hotfix.sandbox.repositories import File, Signature
from hotfix.sandbox.users import MAINTAINER

from .conftest import CORE, ONCE, Rehearsal

if TYPE_CHECKING:
    from hotfix.evidence.model import Entry
    from hotfix.sandbox.pipelines import Pipeline

INPUTS = {"action": "deploy-release-branch-to-staging", "project": CORE, "confirm": True}
VARIABLES = {"action": INPUTS["action"], "project": CORE, "confirm": "true"}
BY_VARIABLES = """\
stages: [confirm, release]

confirm:
  stage: confirm
  script:
    - ./confirm

deploy:
  stage: release
  trigger:
    project: $project
    branch: release
"""


def by_hand(
    rehearsal: Rehearsal,
    user: str = "reviewer",
    *,
    source: str = "web",
    **given: Any,  # noqa: ANN401  (of an order)
) -> Pipeline:
    """Start the orchestration as somebody does on GitLab's page, and let it lead to staging."""
    world = rehearsal.sandbox.world
    order = Order("main", source, **(given or {"inputs": INPUTS}))
    orchestrator, somebody = world.project(seed.ORCHESTRATOR), world.user(user)
    orchestrator.group.members[somebody.id] = MAINTAINER
    made = create(world, orchestrator, somebody, order, world.clock.now())
    rehearsal.clock.sleep(30)
    world.advance()
    return made


@pytest.fixture
def variables(rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the orchestrator take variables, and the spec send them."""
    real = pipelines._ci_file
    orchestrator = rehearsal.sandbox.world.project(seed.ORCHESTRATOR)
    orchestrator.settings.ci_pipeline_variables_minimum_override_role = "developer"
    monkeypatch.setattr(
        pipelines,
        "_ci_file",
        lambda project, sha: BY_VARIABLES if project is orchestrator else real(project, sha),
    )
    rehearsal.write(
        rehearsal.target(CORE, 812, 815),
        orchestration={"project": seed.ORCHESTRATOR, "send_as": "variables"},
    )


def as_list(values: dict[str, Any]) -> tuple[dict[str, str], ...]:
    return tuple(
        {"key": key, "value": str(value), "variable_type": "env_var"}
        for key, value in values.items()
    )


def test_a_pipeline_started_by_hand_is_not_taken_without_a_yes(rehearsal: Rehearsal) -> None:
    rehearsal.apply(until="branch")
    found = by_hand(rehearsal)

    with pytest.raises(WaitingError) as caught:
        rehearsal.apply()

    assert caught.value.code == "pipeline-found"
    for told in (f"/pipelines/{found.id}", "by reviewer at 2026-11-", "source web", "inputs back"):
        assert told in caught.value.message
    assert f"--adopt-pipeline {found.id}" in caught.value.hint
    assert caught.value.hint.endswith("Go on with: hotfix apply hotfix.yaml")
    assert rehearsal.effects()["pipeline"] == 0
    assert rehearsal.lock.state == "waiting"


def test_adopted_by_a_yes_it_is_followed_and_no_other_is_started(rehearsal: Rehearsal) -> None:
    rehearsal.apply(until="branch")
    found = by_hand(rehearsal)
    rehearsal.person.adopts = Yes("typed")

    with pytest.raises(FailedError) as caught:
        rehearsal.apply()

    assert caught.value.code == "evidence-missing", "nobody can prove which inputs were given"
    assert rehearsal.effects() == {**ONCE, "pipeline": 0}
    entry = _started(rehearsal)
    assert (entry.facts["how"], entry.facts["pipeline"]) == ("adopted", found.id)
    assert (entry.facts["project"], entry.facts["user"]) == (seed.ORCHESTRATOR, "reviewer")
    (yes,) = [each for each in rehearsal.lock.approvals if "go on with pipeline" in each.what]
    assert (yes.by, yes.source) == ("operator", "typed")
    assert "started by reviewer" in yes.what
    assert len(rehearsal.person.found) == 1


def test_the_answer_holds_for_later_runs(rehearsal: Rehearsal) -> None:
    rehearsal.apply(until="branch")
    by_hand(rehearsal)
    rehearsal.person.adopts = Yes("typed")
    rehearsal.apply(until="staging")
    rehearsal.person.adopts = None

    with pytest.raises(FailedError, match="not proven"):
        rehearsal.apply()

    assert len(rehearsal.person.found) == 1
    assert rehearsal.effects()["pipeline"] == 0


def test_the_applying_users_own_pipeline_is_asked_about_where_the_record_did_not_start_it(
    rehearsal: Rehearsal,
) -> None:
    rehearsal.apply(until="branch")
    by_hand(rehearsal, "operator", source="api")

    with pytest.raises(WaitingError) as caught:
        rehearsal.apply()

    assert caught.value.code == "pipeline-found"


def test_another_persons_pipeline_is_asked_about_where_the_lockfile_is_lost(
    rehearsal: Rehearsal,
) -> None:
    rehearsal.apply(until="branch")
    by_hand(rehearsal, source="api")
    rehearsal.lockfile.unlink()

    with pytest.raises(WaitingError) as caught:
        rehearsal.apply()

    assert caught.value.code == "pipeline-found"
    assert rehearsal.effects()["pipeline"] == 0


def test_two_pipelines_are_both_named_and_none_is_taken(rehearsal: Rehearsal) -> None:
    rehearsal.apply(until="branch")
    found = [by_hand(rehearsal), by_hand(rehearsal, "author")]
    rehearsal.person.adopts = Yes("typed")

    with pytest.raises(FailedError) as caught:
        rehearsal.apply()

    assert caught.value.code == "pipeline-ambiguous"
    assert all(f"/pipelines/{each.id}" in caught.value.message for each in found)
    assert caught.value.hint.endswith("go on with: hotfix apply hotfix.yaml")
    assert rehearsal.effects()["pipeline"] == 0


def test_a_flag_that_names_the_pipeline_answers_for_that_one_alone(rehearsal: Rehearsal) -> None:
    rehearsal.apply(until="branch")
    first, second = by_hand(rehearsal), by_hand(rehearsal, "author")

    rehearsal.apply(until="staging", adopt=second.id)

    assert _started(rehearsal).facts["pipeline"] == second.id != first.id
    (yes,) = [each for each in rehearsal.lock.approvals if "go on with pipeline" in each.what]
    assert yes.source == f"--adopt-pipeline {second.id}"
    assert rehearsal.person.found == []


def test_a_flag_that_names_a_pipeline_which_does_something_else_starts_nothing(
    rehearsal: Rehearsal,
) -> None:
    found = by_hand(rehearsal)
    rehearsal.apply(until="branch")

    with pytest.raises(FailedError) as caught:
        rehearsal.apply(adopt=found.id)

    assert caught.value.code == "pipeline-not-at-work"
    assert rehearsal.effects()["pipeline"] == 0


def test_a_pipeline_canceled_by_hand_makes_room_for_one_of_ours(rehearsal: Rehearsal) -> None:
    rehearsal.apply(until="branch")
    by_hand(rehearsal)
    for job in rehearsal.sandbox.world.project(CORE).pipelines[-1].jobs:
        job.status = "canceled"

    rehearsal.apply()

    assert rehearsal.effects() == ONCE
    assert rehearsal.lock.state == "complete"


def test_one_that_is_on_its_way_is_waited_for_before_another_is_started(
    rehearsal: Rehearsal,
) -> None:
    rehearsal.apply(until="branch")
    rehearsal.sandbox.world.script(seed.ORCHESTRATOR, "confirm", seconds=45.0)
    by_hand(rehearsal)

    with pytest.raises(WaitingError) as caught:
        rehearsal.apply()

    assert caught.value.code == "pipeline-found"
    assert rehearsal.effects()["pipeline"] == 0


def test_anothers_that_leads_elsewhere_is_passed_over(rehearsal: Rehearsal) -> None:
    rehearsal.apply(until="branch")
    by_hand(rehearsal, inputs={**INPUTS, "project": "evenergi/bf-ledger"})

    rehearsal.apply()

    assert rehearsal.effects() == ONCE
    assert rehearsal.lock.state == "complete"


def test_anothers_that_never_shows_where_it_leads_is_left_alone(rehearsal: Rehearsal) -> None:
    rehearsal.apply(until="branch")
    rehearsal.sandbox.world.script(seed.ORCHESTRATOR, "confirm", outcome="stuck", times=1)
    found = by_hand(rehearsal)
    rehearsal.sandbox.world.script(seed.ORCHESTRATOR, "confirm")

    rehearsal.apply(until="staging")

    assert rehearsal.effects()["pipeline"] == 1
    notes = [each.message for each in rehearsal.screen.events if each.phase == "note"]
    assert any(f"pipeline {found.id} " in each and "left alone" in each for each in notes)


def test_a_run_that_lost_its_record_does_not_start_a_second_beside_its_own(
    rehearsal: Rehearsal,
) -> None:
    rehearsal.apply(until="branch")
    rehearsal.sandbox.world.script(seed.ORCHESTRATOR, "confirm", outcome="stuck", times=1)
    by_hand(rehearsal, "operator", source="api")
    rehearsal.lockfile.unlink()

    with pytest.raises(FailedError) as caught:
        rehearsal.apply()

    assert caught.value.code == "pipeline-unclear"
    assert rehearsal.effects()["pipeline"] == 0


def test_a_pipeline_of_the_target_itself_started_by_hand_is_asked_about(
    rehearsal: Rehearsal,
) -> None:
    rehearsal.apply(until="branch")
    world = rehearsal.sandbox.world
    made = create(
        world,
        world.project(CORE),
        world.user("operator"),
        Order("release", "web"),
        world.clock.now(),
    )

    with pytest.raises(WaitingError) as caught:
        rehearsal.apply()
    assert "Nothing shows what started it" in caught.value.message
    rehearsal.person.adopts = Yes("typed")
    with pytest.raises(FailedError, match="not proven"):
        rehearsal.apply()

    assert _started(rehearsal).facts["pipeline"] == made.id
    assert rehearsal.effects() == {**ONCE, "pipeline": 0}


def test_what_runs_under_the_runs_own_key_is_taken_without_a_question(
    rehearsal: Rehearsal,
) -> None:
    """A key in the pipeline's name says whose it is, also where the record is lost."""
    _give_the_orchestrator_an_input_for_the_key(rehearsal)
    orchestration = {"project": seed.ORCHESTRATOR, "operation_input": "run"}
    rehearsal.write(rehearsal.target(CORE, 812, 815), orchestration=orchestration)
    rehearsal.apply(until="staging")
    rehearsal.lockfile.unlink()
    world = rehearsal.sandbox.world
    world.project(seed.ORCHESTRATOR).pipelines[-1].user = world.user("reviewer")

    rehearsal.apply(until="staging")

    assert rehearsal.person.found == []
    assert rehearsal.effects()["pipeline"] == 1


def _give_the_orchestrator_an_input_for_the_key(rehearsal: Rehearsal) -> None:
    repository = rehearsal.sandbox.world.project(seed.ORCHESTRATOR).repository
    head = repository.branch("main")
    assert head
    text = repository.blob(repository.files(head)[".gitlab-ci.yml"].sha).decode()
    text = text.replace("    confirm:\n", "    run:\n      default: ''\n    confirm:\n", 1)
    name = "workflow:\n  name: release $[[ inputs.run ]]\n\nstages: [confirm"
    edited = repository.edited(
        head, {".gitlab-ci.yml": File(text.replace("stages: [confirm", name).encode())}
    )
    who = Signature("Somebody", "somebody@example.com", rehearsal.clock.now())
    repository.update_ref(
        "refs/heads/main", head, repository.write_commit(edited, [head], "name runs\n", who)
    )


@pytest.mark.usefixtures("variables")
def test_variables_are_read_back_and_prove_what_was_asked(rehearsal: Rehearsal) -> None:
    rehearsal.apply(until="branch")
    found = by_hand(rehearsal, variables=as_list(VARIABLES))
    rehearsal.person.adopts = Yes("typed")

    rehearsal.apply()

    assert f"project={CORE}" in rehearsal.person.found[0].inputs
    assert _started(rehearsal).facts["pipeline"] == found.id
    assert set(rehearsal.checks().values()) == {"passed"}
    assert rehearsal.effects() == {**ONCE, "pipeline": 0}


@pytest.mark.usefixtures("variables")
def test_a_pipeline_with_other_variables_is_refused_and_nothing_is_started_beside_it(
    rehearsal: Rehearsal,
) -> None:
    rehearsal.apply(until="branch")
    by_hand(rehearsal, variables=as_list({**VARIABLES, "action": "deploy-somewhere"}))
    rehearsal.person.adopts = Yes("typed")

    with pytest.raises(FailedError, match="action is deploy-somewhere") as caught:
        rehearsal.apply()

    assert caught.value.code == "pipeline-differs"
    assert rehearsal.effects()["pipeline"] == 0


@pytest.mark.usefixtures("variables")
def test_the_cut_off_is_never_adopted(rehearsal: Rehearsal) -> None:
    rehearsal.apply(until="branch")
    cut_off = {**VARIABLES, "action": "bring-all-code-to-release-branch"}
    by_hand(rehearsal, variables=as_list(cut_off))
    rehearsal.person.adopts = Yes("typed")

    with pytest.raises(BlockedError) as caught:
        rehearsal.apply()

    assert caught.value.code == "forbidden-action"
    assert rehearsal.person.found == []


@pytest.mark.usefixtures("variables")
def test_variables_that_the_token_may_not_read_are_said_to_be_unknown(
    rehearsal: Rehearsal,
) -> None:
    rehearsal.apply(until="branch")
    by_hand(rehearsal, variables=as_list(VARIABLES))
    rehearsal.sandbox.faults.add("GET", "/variables$", status=403, body=b'{"message":"403"}')

    with pytest.raises(WaitingError, match="does not give its inputs back"):
        rehearsal.apply()


@pytest.mark.usefixtures("variables")
def test_after_a_lost_answer_the_pipeline_is_found_by_its_variables(rehearsal: Rehearsal) -> None:
    rehearsal.sandbox.world.script(seed.ORCHESTRATOR, "confirm", seconds=300.0)
    rehearsal.sandbox.faults.add("POST", r"/pipeline$", when="after", reset=True)

    rehearsal.apply()

    assert rehearsal.effects() == ONCE
    assert _started(rehearsal).facts["how"] == "found-after-lost-answer"


@pytest.mark.usefixtures("variables")
def test_after_a_lost_answer_one_with_other_variables_is_not_ours(rehearsal: Rehearsal) -> None:
    """The request never arrived, and the same account started something else meanwhile."""
    rehearsal.sandbox.faults.add("POST", r"/pipeline$", when="before", reset=True)
    elsewhere = {**VARIABLES, "project": "evenergi/bf-ledger"}

    with pytest.raises(FailedError) as caught:
        rehearsal.apply()
    assert caught.value.code == "pipeline-not-started"
    other = by_hand(rehearsal, "operator", source="api", variables=as_list(elsewhere))
    rehearsal.apply()

    assert _started(rehearsal).facts["pipeline"] != other.id
    assert rehearsal.lock.state == "complete"


def test_a_look_says_whose_pipeline_waits_for_an_answer(rehearsal: Rehearsal) -> None:
    rehearsal.apply(until="branch")
    by_hand(rehearsal)
    before = rehearsal.lockfile.read_bytes()

    with pytest.raises(WaitingError) as caught:
        look(
            rehearsal.request(),
            forge=rehearsal.forge(),
            clock=rehearsal.clock,
            progress=Remembering(),
        )

    assert caught.value.code == "pipeline-found"
    assert rehearsal.lockfile.read_bytes() == before


def test_the_key_of_another_plan_is_another_key(rehearsal: Rehearsal) -> None:
    plan = rehearsal.plan()
    target = plan.targets[0]

    class Of:
        def __init__(self, digest: str) -> None:
            self.plan = plan.model_copy(update={"digest": digest})

    one, two = (operation_key(Of(each), target) for each in ("sha256:1", "sha256:2"))  # type: ignore[arg-type]

    assert one != two
    assert one.startswith(f"{plan.hotfix}-")


def _started(rehearsal: Rehearsal) -> Entry:
    entries = rehearsal.lock.entries
    return [each for each in entries if (each.step, each.phase) == ("orchestrate", "done")][-1]
