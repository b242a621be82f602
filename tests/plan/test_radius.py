"""How far a hotfix reaches: what production has against what the branch will have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hotfix.plan.model import BlastRadius, PastHotfixes, Share
from hotfix.views.plan_markdown import plan_markdown
from hotfix.views.plan_text import plan_text
from hotfix.views.radius import blast_radius

from .conftest import BASE

if TYPE_CHECKING:
    from .conftest import Case


def radius_of(case: Case) -> BlastRadius:
    found = case.plan().plan.targets[0].observed.radius
    assert found is not None
    return found


def ship(case: Case, before: dict[str, str], after: dict[str, str]) -> BlastRadius:
    """Bring the change from one set of files to another to production, and measure it."""
    case.merge_requests = []
    case.production = case.history.commit(before)
    fix = case.history.commit(after, case.production)
    release = case.history.commit({**before, "staged": "1\n" * 99}, case.production)
    case.heads = {"main": fix, "release": release}
    case.merge_request(812, merge_commit_sha=fix)
    return radius_of(case)


def test_what_leaves_release_does_not_count_and_what_goes_out_does(case: Case) -> None:
    found = ship(
        case,
        {**BASE, "web/pay/a.ts": "1\n2\n3\n"},
        {**BASE, "web/pay/a.ts": "1\ntwo\n3\n4\n", "web/pay/deep/b.ts": "1\n"},
    )

    assert (found.files, found.added, found.removed, found.uncounted) == (2, 3, 1, 0)
    assert found.folders == (Share(name="web/pay", files=2),)
    assert found.owners is None, "production has no CODEOWNERS"
    assert found.past is None


def test_owners_are_those_of_production_whatever_the_fix_says(case: Case) -> None:
    owners = "* @all\n[Web]\nweb/ @web\n"
    found = ship(
        case,
        {**BASE, "docs/CODEOWNERS": owners, "web/a.ts": "1\n"},
        {**BASE, "docs/CODEOWNERS": "* @attacker\n", "web/a.ts": "2\n"},
    )

    assert found.owners == (Share(name="@all", files=2), Share(name="@web", files=1))


def test_of_several_files_of_owners_the_first_that_gitlab_looks_for_counts(case: Case) -> None:
    found = ship(
        case,
        {**BASE, "CODEOWNERS": "/web/ @web\n", ".gitlab/CODEOWNERS": "* @other\n", "web/a": "1\n"},
        {
            **BASE,
            "CODEOWNERS": "/web/ @web\n",
            ".gitlab/CODEOWNERS": "* @other\n",
            "web/a": "2\n",
            "app.py": "",
        },
    )

    assert found.owners == (Share(name="@web", files=1), Share(name="nobody", files=1))


def test_a_branch_that_is_not_known_reaches_nobody_knows_where(case: Case) -> None:
    case.merge_request(813, state="opened")

    assert case.plan().plan.targets[0].observed.radius is None


def test_a_hotfix_that_production_has_changes_nothing(case: Case) -> None:
    case.production = case.heads["main"]

    assert blast_radius(radius_of(case)) == "nothing: production has it all"


def test_the_digest_does_not_depend_on_it(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = case.plan().plan
    monkeypatch.setattr("hotfix.plan.draft.blast_radius", lambda *_, **__: None)
    without = case.plan().plan

    assert without.digest == whole.digest
    assert b'"radius"' not in without.model_dump_json().encode(), "as files from before have it"


FIVE = BlastRadius(
    files=7,
    added=1,
    removed=20,
    uncounted=1,
    folders=tuple(Share(name=name, files=1) for name in "abcdefg"),
    owners=(Share(name="@a", files=6), Share(name="nobody", files=1)),
)


@pytest.mark.parametrize(
    ("count", "smaller", "median", "said"),
    [
        (4, 3, 2.0, "more files than 3 of 4 past hotfixes here (the median is 2 files)"),
        (4, 0, 9.6, "not more files than any of 4 past hotfixes here (the median is 10 files)"),
        (1, 0, 1.0, "not more files than the past hotfix here (the median is 1 file)"),
    ],
)
def test_the_sentence_has_gits_own_words_and_the_sample(
    count: int, smaller: int, median: float, said: str
) -> None:
    past = PastHotfixes(count=count, smaller=smaller, median_files=median)

    assert blast_radius(FIVE.model_copy(update={"past": past})) == (
        "7 files changed, 1 insertion(+), 20 deletions(-), 1 not counted, in a (1), b (1), c (1), "
        f"d (1), e (1) and 2 more; owned by @a (6) and nobody (1); {said}"
    )


def test_names_cannot_act_on_the_screen_and_mention_nobody(case: Case) -> None:
    name = "a\x1b[31m/b"
    ship(case, {**BASE, "CODEOWNERS": "* @all\n"}, {**BASE, "CODEOWNERS": "* @all\n", name: "1\n"})
    plan = case.plan().plan

    for page in (
        plan_text(plan, width=100, colour=False, next_command=None),
        plan_markdown(plan, next_command=None),
    ):
        assert "Blast radius: 1 file changed" in page
        assert "\x1b[31m" not in page
    assert "owned by `@all` (1)" in plan_markdown(plan, next_command=None)
