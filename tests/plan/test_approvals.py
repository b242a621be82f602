"""Which comments count as approvals of a plan, by values alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfix.forge.types import Account, Note, Noteable, User
from hotfix.plan.approvals import Asked, Tally, Voice, approved_digest, tally, wanted, who_may
from hotfix.spec.model import PlanApprovalPolicy

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DIGEST, OTHER = "sha256:" + "a" * 64, "sha256:" + "b" * 64
RITA, MAX, OLIVE = (User(n, name, name) for n, name in enumerate(("rita", "max", "olive"), 1))
ASKED = Asked(PlanApprovalPolicy(minimum=1), DIGEST, frozenset(), None)
SAID = f"Approved: plan `{DIGEST}` of hotfix `inc-1042`."


def voice(by: User = RITA, digest: str = DIGEST, minutes: int = 0, **note: Any) -> Voice:  # noqa: ANN401
    at = NOON + timedelta(minutes=minutes)
    made = Note(minutes, SAID, by, at, at, is_system=False, is_imported=False)
    return Voice(
        note=replace(made, **note),
        on=Noteable("merge_requests", "g/p", 7),
        url="https://gitlab.example.com/g/p/-/merge_requests/7#note_1",
        digest=digest,
        account=Account(by, is_bot=False, is_active=True),
        lacks=None,
    )


def why(one: Voice, asked: Asked = ASKED) -> str | None:
    found = tally([one], asked)
    return found.refused[0][1] if found.refused else None


def test_each_person_counts_once_by_the_first_approval() -> None:
    found = tally([voice(minutes=5), voice(MAX, minutes=3), voice(minutes=1)], ASKED)

    assert [(each.by, each.note.id) for each in found.counted] == [(RITA, 1), (MAX, 3)]
    assert (found.missing, found.refused) == (0, ())


def test_more_people_than_approvals_are_wanted() -> None:
    asked = replace(ASKED, policy=PlanApprovalPolicy(minimum=2))

    found = tally([voice(minutes=1), voice(minutes=2)], asked)

    assert (found.missing, found.verdict()) == (1, "1 of 2 approvals")


@pytest.mark.parametrize("seconds", [2, 3600, -2])
def test_a_comment_that_was_changed_is_nobodys_word(seconds: int) -> None:
    changed = voice(updated_at=NOON + timedelta(seconds=seconds))

    assert "changed at" in (why(changed) or "")


def test_what_gitlab_saves_twice_in_one_go_is_not_changed() -> None:
    assert why(voice(updated_at=NOON + timedelta(milliseconds=3))) is None


@pytest.mark.parametrize("kind", ["is_system", "is_imported"])
def test_what_no_person_wrote_here_does_not_count(kind: str) -> None:
    assert "not written by this person here" in (why(voice(**{kind: True})) or "")


def test_another_digest_is_void_and_said() -> None:
    found = tally([voice(digest=OTHER)], ASKED)

    assert found.counted == ()
    assert found.verdict() == "0 of 1 approvals; 1 of another plan is void"
    assert OTHER in found.refused[0][1]


def test_a_void_approval_of_someone_who_approved_this_plan_too_is_not_told() -> None:
    found = tally([voice(minutes=2), voice(digest=OTHER, minutes=1)], ASKED)

    assert (found.missing, found.void, found.refused) == (0, 0, ())


@pytest.mark.parametrize(
    ("account", "said"),
    [
        (Account(RITA, is_bot=True, is_active=True), "no active account of a person"),
        (Account(RITA, is_bot=False, is_active=False), "no active account of a person"),
    ],
)
def test_bots_and_blocked_accounts_do_not_count(account: Account, said: str) -> None:
    assert why(replace(voice(), account=account)) == said


def test_authors_and_whoever_applies_count_where_the_policy_lets_them() -> None:
    asked = replace(ASKED, authors=frozenset({MAX.id}), applier=OLIVE)
    lenient = PlanApprovalPolicy(minimum=1, not_author=False, not_applier=False)

    assert why(voice(MAX), asked) == "an author of the hotfix"
    assert why(voice(OLIVE), asked) == "the one who applies it"
    assert why(voice(RITA), asked) is None
    for who in (MAX, OLIVE):
        assert why(voice(who), replace(asked, policy=lenient)) is None


def test_who_lacks_a_membership_is_told_which() -> None:
    assert why(replace(voice(), lacks="no Developer in g/p")) == "no Developer in g/p"


def test_only_the_sentence_alone_is_an_approval() -> None:
    assert approved_digest(f"{SAID}\n", "inc-1042") == DIGEST
    for other in (
        f"> {SAID}",
        f"I do not say: {SAID}",
        f"{SAID} Not yet.",
        f"```\n{SAID}\n```",
        SAID.replace("a" * 64, "a" * 63),
        SAID.replace("a" * 64, "A" * 64),
        SAID.replace("`", ""),
        "LGTM",
        "",
    ):
        assert approved_digest(other, "inc-1042") is None
    assert approved_digest(SAID, "inc-1043") is None


@given(st.text(max_size=40), st.text(max_size=40))
def test_words_around_the_sentence_make_it_another_text(before: str, after: str) -> None:
    is_alone = not before.strip() and not after.strip()
    found = approved_digest(before + SAID + after, "inc-1042")

    assert (found == DIGEST) == is_alone


@pytest.mark.parametrize(
    ("own", "key"),
    [
        ({"minimum": 1}, "minimum"),
        ({"minimum": 0}, "minimum"),
        ({"groups": ()}, "groups"),
        ({"groups": ("g/friends",)}, "groups"),
        ({"groups": ("g/release", "g/friends")}, "groups"),
        ({"not_author": False}, "not_author"),
        ({"not_applier": False}, "not_applier"),
        ({"minimum": 3}, None),
        ({"groups": ("g/release",)}, None),
        ({}, None),
    ],
)
def test_what_weakens_a_teams_policy_is_named(own: dict[str, Any], key: str | None) -> None:
    team = PlanApprovalPolicy(minimum=2, groups=("g/release", "g/sre"))

    assert team.model_copy(update=own).weaker_than(team) == key
    assert team.model_copy(update=own).weaker_than(PlanApprovalPolicy()) is None


def test_what_is_wanted_is_said_in_one_sentence() -> None:
    policy = PlanApprovalPolicy(minimum=2, groups=("g/release", "g/sre"), not_author=False)

    assert wanted(policy) == (
        "2 approvals of exactly this digest, by direct members of g/release or g/sre "
        "(not whoever applies it)"
    )
    assert wanted(PlanApprovalPolicy()) is None
    assert who_may(PlanApprovalPolicy(minimum=1, not_author=False, not_applier=False)).endswith(
        "in every target's project"
    )


def test_a_tally_of_nothing_wants_what_the_policy_asks() -> None:
    assert tally([], ASKED) == Tally(ASKED, (), (), ())
