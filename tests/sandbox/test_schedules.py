"""Schedules of faults: what a sentence means, what a file may hold, what a seed promises."""

from __future__ import annotations

import pytest

from hotfix.sandbox.fault_routes import Asked, matcher
from hotfix.sandbox.faults import KINDS, Fault
from hotfix.sandbox.schedules import catalogue, load, named, parse, random_schedule

PIPELINE = "POST /projects/:id/pipeline"


@pytest.mark.parametrize(
    ("sentence", "fault"),
    [
        (f"{PIPELINE} after reset", Fault(PIPELINE, "reset", when="after")),
        ("GET /user #2 502", Fault("GET /user", "status", 2, status=502)),
        ("GET /user #2-4 429=1", Fault("GET /user", "status", 2, 3, status=429, seconds=1)),
        ("* /* #3- slow=0.5", Fault("* /*", "slow", 3, None, seconds=0.5)),
        ("git push #2 hook-declined", Fault("git push", "hook-declined", 2)),
        ("git push refs/heads/release before reset", Fault("git push refs/heads/release", "reset")),
        ("git fetch truncated", Fault("git fetch", "truncated")),
        ("graphql timelineEventCreate html", Fault("graphql timelineEventCreate", "html")),
        ("push-hook-declined", Fault("git push refs/heads/*", "hook-declined")),
    ],
)
def test_a_sentence_is_a_fault(sentence: str, fault: Fault) -> None:
    assert parse(sentence) == fault
    assert parse(str(fault)) == fault


@pytest.mark.parametrize(
    ("sentence", "says"),
    [
        ("pipeline-rest-after", "there is no fault .* pipeline-reset-after"),
        ("GET /user sometimes reset", "'GET /user sometimes' is no route"),
        ("GET /user", "write ROUTE"),
        ("git pull reset", "is no route"),
        ("GET /user 600", "no status of an answer"),
    ],
)
def test_what_is_no_fault_is_refused_with_what_would_be_one(sentence: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse(sentence)


def test_the_catalogue_has_every_kind_and_reads_back() -> None:
    found = catalogue()

    assert {fault.kind for fault in found.values()} == set(KINDS)
    assert all(parse(str(fault)) == fault for fault in found.values())
    assert len(set(found.values())) == len(found) > 200
    assert named("pipeline-reset-after") == Fault(PIPELINE, "reset", when="after")


def test_a_seed_gives_the_same_schedule_again_and_another_seed_another() -> None:
    assert random_schedule(7) == random_schedule(7)
    assert len({random_schedule(seed) for seed in range(50)}) == 50
    assert len(random_schedule(7, size=9)) == 9


def test_a_file_lists_sentences_names_and_mappings() -> None:
    text = (
        f"- {PIPELINE} after reset\n- watch-502\n"
        "- {route: git push, nth: 2, kind: hook-declined, body: No pushes today.}\n"
    )

    assert load(text) == (
        Fault(PIPELINE, "reset", when="after"),
        named("watch-502"),
        Fault("git push", "hook-declined", nth=2, body=b"No pushes today."),
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "no YAML"),
        ("route: git push", "no list"),
        ("- 12", "entry 1 is neither"),
        ("- {route: git push, kind: reset, nht: 2}", "entry 1: unknown: nht"),
        ("- watch-502\n- {route: git push}", "entry 2: .*kind"),
        ("- {route: git push, kind: reset, nth: two}", "entry 1: "),
        ("- !!python/object/apply:os.system [true]", "no YAML"),
    ],
)
def test_a_file_that_is_no_schedule_is_refused_with_its_entry(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        load(text)


@pytest.mark.parametrize(
    ("route", "method", "uri", "body", "expected"),
    [
        (PIPELINE, "POST", "/api/v4/projects/a%2Fb/pipeline", b"", True),
        (PIPELINE, "POST", "/api/v4/projects/a%2Fb/pipelines", b"", False),
        (PIPELINE, "GET", "/api/v4/projects/a%2Fb/pipeline", b"", False),
        ("GET /projects/a%2Fb", "GET", "/api/v4/projects/a%2Fb?x=1", b"", True),
        ("GET /projects/a%2Fb", "GET", "/api/v4/projects/a%2Fc", b"", False),
        ("* /*", "DELETE", "/api/v4/projects/1", b"", True),
        ("* /*", "GET", "/a/b.git/info/refs", b"", False),
        ("GET ~a/b.git/info", "GET", "/a/b.git/info/refs?service=x", b"", True),
        ("git fetch", "POST", "/a/b.git/git-upload-pack", b"0032want " + b"a" * 40, True),
        ("git fetch", "POST", "/a/b.git/git-upload-pack", b"0014command=ls-refs\n", False),
        ("git push", "POST", "/a/b.git/git-receive-pack", b" refs/heads/x\0", True),
        (
            "git push refs/hotfix/*",
            "POST",
            "/a/b.git/git-receive-pack",
            b"a" * 40 + b" refs/hotfix/lock/release\0",
            True,
        ),
        (
            "git push refs/heads/release",
            "POST",
            "/a/b.git/git-receive-pack",
            b"a" * 40 + b" refs/heads/release-2\0",
            False,
        ),
        ("graphql timelineEventCreate", "POST", "/api/graphql", b"timelineEventCreate(", True),
        ("graphql timelineEvent", "POST", "/api/graphql", b"timelineEventCreate(", False),
    ],
)
def test_a_route_fits_what_it_says(
    route: str, method: str, uri: str, body: bytes, *, expected: bool
) -> None:
    assert matcher(route)(Asked(method, uri, body)) is expected
