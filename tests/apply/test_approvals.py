"""Approvals of a plan on the embedded GitLab: what lets a run go on, and what stops it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from hotfix.apply.approvals import look, write
from hotfix.errors import FailedError, WaitingError
from hotfix.evidence.audit import audit
from hotfix.evidence.lockfile import parse
from hotfix.forge.gitlab import GitLabForge
from hotfix.forge.protocol import UnknownOutcomeError
from hotfix.forge.types import Noteable
from hotfix.plan.approvals import sentence
from hotfix.sandbox import seed
from hotfix.sandbox.faults import Fault
from hotfix.sandbox.users import DEVELOPER, GUEST, MAINTAINER, Group

from .conftest import CORE, Rehearsal, somebody_pushes
from .fate import Fate, Killed, run

if TYPE_CHECKING:
    from pathlib import Path

    from hotfix.plan.model import Plan
    from hotfix.sandbox.faults import When
    from hotfix.sandbox.notes import Note

ON = Noteable("merge_requests", CORE, 812)
RELEASERS = "evenergi/release-managers"


@pytest.fixture
def one(rehearsal: Rehearsal) -> Rehearsal:
    """Ask for one approval of the plan."""
    ask(rehearsal, minimum=1)
    return rehearsal


def ask(rehearsal: Rehearsal, *targets: dict[str, Any], **policy: Any) -> None:  # noqa: ANN401
    wanted = targets or (rehearsal.target(CORE, 812, 815),)
    rehearsal.write(*wanted, policy={"plan_approvals": policy})


def forge(rehearsal: Rehearsal, who: str) -> GitLabForge:
    return GitLabForge(rehearsal.sandbox.url, seed.TOKENS[who], clock=rehearsal.clock)


def approve(rehearsal: Rehearsal, who: str, plan: Plan, on: Noteable = ON) -> None:
    write(plan, forge(rehearsal, who), on)


def comments(rehearsal: Rehearsal) -> list[Note]:
    return rehearsal.sandbox.world.project(CORE).merge_requests[812].notes


def refused(rehearsal: Rehearsal, **more: Any) -> WaitingError:  # noqa: ANN401
    with pytest.raises(WaitingError) as caught:
        rehearsal.apply(**more)
    assert caught.value.code == "approvals-missing"
    return caught.value


def recorded(rehearsal: Rehearsal) -> list[tuple[str, str]]:
    return [(each.by, each.what) for each in rehearsal.lock.approvals]


def verdict(path: Path) -> dict[str, str]:
    report = audit(parse(path.read_bytes(), path.name))
    return {finding.what: finding.outcome for finding in report.findings}


def test_without_the_policy_nothing_is_asked_and_digests_stay(rehearsal: Rehearsal) -> None:
    before = rehearsal.plan()
    ask(rehearsal, minimum=0, not_author=False)

    assert rehearsal.plan().digest == before.digest
    rehearsal.apply(until="branch")
    assert not rehearsal.sandbox.requests.matching("GET", r"/notes$")


def test_what_is_missing_is_said_before_anybody_is_asked_or_anything_written(
    one: Rehearsal,
) -> None:
    error = refused(one)

    assert error.message == f"Plan {one.plan().digest} has 0 of 1 approvals; nothing was changed."
    assert "role Developer or more" in error.hint
    assert error.hint.endswith("Then go on with: hotfix apply hotfix.yaml")
    assert (one.person.asked, one.lockfile.exists()) == (0, False)
    assert not one.sandbox.requests.writes()


def test_an_approved_plan_is_carried_out_and_the_record_says_by_whom(one: Rehearsal) -> None:
    plan = one.plan()
    approve(one, "reviewer", plan)

    one.apply()

    lock = one.lock
    assert (lock.state, lock.plan_digest) == ("complete", plan.digest)
    assert recorded(one)[:2] == [
        ("operator", f"carry out plan {plan.digest}"),
        ("reviewer", f"approve plan {plan.digest}"),
    ]
    (note,) = comments(one)
    url = f"{one.sandbox.url}/{CORE}/-/merge_requests/812#note_{note.id}"
    assert lock.approvals[1].source == url
    (entry,) = [each for each in lock.entries if "approved_by" in each.facts]
    assert (entry.step, entry.target, entry.phase) == ("preflight", None, "observed")
    assert entry.seq < min(each.seq for each in lock.entries if each.step == "restore")
    assert entry.facts["url"] == url
    assert verdict(one.lockfile)["plan-approvals"] == "passed"
    assert "failed" not in verdict(one.lockfile).values()


def test_another_plan_is_approved_by_nobody_and_the_old_approval_is_void(one: Rehearsal) -> None:
    old = one.plan()
    approve(one, "reviewer", old)
    one.spec.write_text(one.spec.read_text().replace("after 30 s", "after 31 s"))

    error = refused(one)

    assert one.plan().digest != old.digest
    assert "1 of another plan is void" in error.message
    assert f"void, for it approves another plan, {old.digest}" in error.hint


def test_a_saved_plan_is_held_to_its_own_digest(one: Rehearsal) -> None:
    plan = one.plan()
    refused(one, saved=plan)
    approve(one, "reviewer", plan)

    one.apply(saved=plan, until="branch")

    assert ("reviewer", f"approve plan {plan.digest}") in recorded(one)


@pytest.mark.parametrize(
    ("who", "why"),
    [
        ("author", "an author of the hotfix"),
        ("operator", "the one who applies it"),
        ("outsider", f"no Developer in {CORE}"),
    ],
)
def test_who_may_not_approve_is_not_counted(one: Rehearsal, who: str, why: str) -> None:
    world = one.sandbox.world
    approve(one, "reviewer", one.plan())
    comments(one)[0].author = world.user(who)

    assert why in refused(one).hint


def test_a_comment_that_a_maintainer_changed_into_an_approval_does_not_count(
    one: Rehearsal,
) -> None:
    remark = forge(one, "reviewer").add_note(ON, "Please wait for the load test.")
    one.clock.sleep(90)
    path = f"/projects/{CORE.replace('/', '%2F')}/merge_requests/812/notes/{remark.id}"
    body = {"body": sentence(one.plan())}
    forge(one, "operator")._api.write("put", path, body, lambda _: None)

    error = refused(one)

    assert comments(one)[0].author.username == "reviewer"
    assert "changed at 2026-11-22T12:01:3" in error.hint


def test_an_approval_that_is_taken_back_before_the_lock_is_held_stops_the_run(
    one: Rehearsal,
) -> None:
    approve(one, "reviewer", one.plan())
    asked = one.person.approve_plan

    def think(plan: Plan) -> Any:  # noqa: ANN401
        comments(one).clear()
        return asked(plan)

    one.person.approve_plan = think  # type: ignore[method-assign]

    error = refused(one)

    assert "nothing further was changed" in error.message
    assert one.lock.state == "waiting"
    assert one.effects()["push"] == 0
    assert not one.forge().repository(one.forge().project(CORE)).refs("refs/hotfix/lock/")


def test_a_run_is_not_resumed_without_its_approval_and_records_it_once(one: Rehearsal) -> None:
    approve(one, "reviewer", one.plan())
    one.apply(until="branch")
    kept = list(comments(one))
    comments(one).clear()

    refused(one)
    comments(one).extend(kept)
    one.apply()

    assert one.lock.state == "complete"
    assert [who for who, what in recorded(one) if what.startswith("approve plan")] == ["reviewer"]


def test_whoever_approved_does_not_go_on_with_it_before_production_runs_it(
    one: Rehearsal,
) -> None:
    world = one.sandbox.world
    world.project(CORE).members[world.user("reviewer").id] = MAINTAINER
    approve(one, "reviewer", one.plan())
    one.apply(until="staging")
    one.token = seed.TOKENS["reviewer"]
    assert "reviewer on evenergi/bf-manage-core!812: the one who applies it" in refused(one).hint

    one.token = seed.TOKENS["operator"]
    one.apply(until="production")
    one.token = seed.TOKENS["reviewer"]
    comments(one).clear()
    one.apply()

    assert one.lock.state == "complete"
    assert verdict(one.lockfile)["plan-approvals"] == "passed"


def test_two_approvals_are_two_people_on_whatever_of_the_places(rehearsal: Rehearsal) -> None:
    ask(rehearsal, minimum=2)
    world = rehearsal.sandbox.world
    reader = world.user("reader")
    world.project(CORE).members[reader.id] = DEVELOPER
    seed_token = next(token for token in world.tokens.values() if token.user is reader)
    seed_token.scopes = frozenset({"api"})
    plan = rehearsal.plan()
    approve(rehearsal, "reviewer", plan)
    approve(rehearsal, "reviewer", plan, Noteable("merge_requests", CORE, 815))
    assert "1 of 2 approvals" in refused(rehearsal).message

    approve(rehearsal, "reader", plan, Noteable("merge_requests", CORE, 815))
    rehearsal.apply(until="branch")

    assert {who for who, what in recorded(rehearsal) if what.startswith("approve")} == {
        "reviewer",
        "reader",
    }


def test_with_groups_their_direct_members_count_whatever_their_role(rehearsal: Rehearsal) -> None:
    ask(rehearsal, minimum=1, groups=[RELEASERS])
    world = rehearsal.sandbox.world
    group = world.groups[RELEASERS] = Group(99, RELEASERS)
    approve(rehearsal, "reviewer", rehearsal.plan())
    assert f"no direct member of {RELEASERS}" in refused(rehearsal).hint

    group.members[world.user("reviewer").id] = GUEST
    rehearsal.apply(until="branch")

    assert rehearsal.lock.state == "waiting"


def test_an_existing_incident_is_a_place_that_everybody_knows(rehearsal: Rehearsal) -> None:
    incident = {"project": seed.ORCHESTRATOR, "iid": 1041}
    rehearsal.write(
        rehearsal.target(CORE, 812, 815),
        policy={"plan_approvals": {"minimum": 1}},
        incident=incident,
    )
    plan = rehearsal.plan()
    approve(rehearsal, "reviewer", plan, Noteable("issues", seed.ORCHESTRATOR, 1041))

    found = look(plan, rehearsal.forge())

    assert [voice.by.username for voice in found.counted] == ["reviewer"]
    assert "/issues/incident/1041#note_" in found.counted[0].url


def test_whoever_opened_the_merge_request_of_the_approval_is_an_author_too(one: Rehearsal) -> None:
    world = one.sandbox.world
    request = world.project(CORE).merge_requests[817]
    request.author = world.user("reviewer")
    on = Noteable("merge_requests", CORE, 817)
    plan = one.plan()
    approve(one, "reviewer", plan, on)

    found = look(plan, one.forge(), [on])

    assert [why for _, why in found.refused] == ["an author of the hotfix"]


def test_a_place_that_gitlab_does_not_show_is_told_and_holds_nothing(one: Rehearsal) -> None:
    gone = Noteable("merge_requests", "evenergi/nowhere", 1)

    found = look(one.plan(), one.forge(), [gone])

    assert (found.unread, found.missing) == ((gone,), 1)


@pytest.mark.parametrize("when", ["before", "after"])
def test_after_a_lost_answer_an_approval_is_looked_for_not_repeated(
    one: Rehearsal, when: When
) -> None:
    plan = one.plan()
    one.sandbox.faults.plan([Fault("POST ~/notes", "reset", when=when)])

    if when == "before":
        with pytest.raises(UnknownOutcomeError):
            approve(one, "reviewer", plan)
        assert comments(one) == []
        approve(one, "reviewer", plan)
    else:
        approve(one, "reviewer", plan)

    assert [each.body for each in comments(one)] == [sentence(plan)]


def test_the_way_back_that_was_approved_with_the_hotfix_needs_no_other_approval(
    one: Rehearsal,
) -> None:
    plan = one.plan()
    approve(one, "reviewer", plan)
    _fail(one)
    comments(one).clear()  # it was held when the hotfix was applied, and its record has it
    looked = one.sandbox.requests.matching("GET", r"/notes$")

    one.roll_back()

    lock = one.rollback_lock
    assert lock.state == "complete"
    assert ("reviewer", f"approve the way back with plan {plan.digest}") in [
        (each.by, each.what) for each in lock.approvals
    ]
    assert verdict(one.rollback_lockfile)["plan-approvals"] == "passed"
    assert one.sandbox.requests.matching("GET", r"/notes$") == looked


def test_who_approved_may_go_the_way_back_that_was_approved(one: Rehearsal) -> None:
    world = one.sandbox.world
    world.project(CORE).members[world.user("reviewer").id] = MAINTAINER
    approve(one, "reviewer", one.plan())
    _fail(one)
    one.token = seed.TOKENS["reviewer"]

    one.roll_back()

    assert verdict(one.rollback_lockfile)["plan-approvals"] == "passed"


def test_another_way_back_wants_an_approval_of_its_own(one: Rehearsal) -> None:
    approve(one, "reviewer", one.plan())
    _fail(one)
    somebody_pushes(one)
    plan = one.plan_back()
    assert plan.observed.approved is None

    with pytest.raises(WaitingError) as caught:
        one.roll_back()
    assert f"Plan {plan.digest} has 0 of 1 approvals; 1 of another plan is void" in str(
        caught.value
    )
    approve(one, "reviewer", plan)
    one.roll_back()

    assert one.rollback_lock.state == "complete"


def test_the_audit_finds_a_run_that_went_on_without_the_approvals(one: Rehearsal) -> None:
    approve(one, "reviewer", one.plan())
    one.apply(until="branch")
    document = parse(one.lockfile.read_bytes(), "hotfix.lock.json")
    own = [each for each in document.lock.approvals if each.by != "reviewer"]

    without = replace(document, lock=document.lock.model_copy(update={"approvals": tuple(own)}))

    found = {each.what: each for each in audit(without).findings if each.outcome == "failed"}
    assert found["plan-approvals"].detail == (
        "The plan was carried out with 0 of 1 approvals of its digest."
    )


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("number", range(2, 6))
def test_a_run_killed_around_its_approvals_records_each_once(
    one: Rehearsal, monkeypatch: pytest.MonkeyPatch, number: int, *, after: bool
) -> None:
    approve(one, "reviewer", one.plan())
    fate = Fate(number, after=after)
    with pytest.raises(Killed):
        run(one, fate, monkeypatch)

    run(one, Fate(None, after=False), monkeypatch)

    assert one.lock.state == "complete"
    assert [who for who, what in recorded(one) if what.startswith("approve")] == ["reviewer"]
    assert one.effects()["push"] == 2
    assert [note.author.username for note in comments(one)] == ["reviewer"]


def test_the_incident_names_who_approved_and_where(one: Rehearsal) -> None:
    approve(one, "reviewer", one.plan())
    one.apply()

    issues = one.sandbox.world.project(seed.ORCHESTRATOR).issues.values()
    (found,) = (issue for issue in issues if "hotfix-record:" in issue.description)
    assert "- Approved by `reviewer` at 2026-11-22T12:00:0" in found.description


def _fail(rehearsal: Rehearsal) -> None:
    """Apply the hotfix, whose smoke check is red, and let the service be well without it."""
    rehearsal.sandbox.world.project(CORE).service_status = "down"
    with pytest.raises(FailedError):
        rehearsal.apply()
    rehearsal.sandbox.world.project(CORE).service_status = "ok"
