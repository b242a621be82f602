"""What tells which commit production runs: every source with its value, and who overrules whom."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from hotfix.forge.protocol import ForgeError
from hotfix.forge.types import Deployment, Job, Tag
from hotfix.identifiers import Sha, short
from hotfix.plan.observe import SeenElsewhere
from hotfix.smoke.version import Reported

from .conftest import NOON, OPERATOR

if TYPE_CHECKING:
    from hotfix.plan.build import Built
    from hotfix.plan.model import SourceOfSha

    from .conftest import Case

OTHER = Sha("0bad" * 10)
URL = "https://core.example.com/version"


def _job(sha: Sha, **changes: Any) -> Job:  # noqa: ANN401
    job = Job(
        id=71,
        name="deploy-production",
        stage="deploy",
        status="success",
        allow_failure=False,
        web_url="https://gitlab.example.com/job/71",
        pipeline_id=61,
        user=OPERATOR,
        started_at=NOON,
        finished_at=NOON + timedelta(hours=1),
        failure_reason=None,
        sha=sha,
        pipeline_sha=sha,
    )
    return replace(job, **changes)


def _tag(name: str, sha: Sha, *, is_release: bool = True) -> Tag:
    return Tag(name, sha, NOON, is_release, f"https://gitlab.example.com/-/releases/{name}")


def _says(commit: str | None) -> Reported:
    return Reported(commit, NOON, URL, f"it says {commit}" if commit else "no connection: refused")


def _blocked(number: int, sha: Sha) -> Deployment:
    return Deployment(number, number, "release", sha, "blocked", NOON, None, None)


def _codes(built: Built) -> list[str]:
    plan = built.plan
    return [finding.code for finding in (*plan.blockers, *plan.warnings)]


def _source(built: Built, name: str) -> SourceOfSha:
    (found,) = (each for each in built.plan.targets[0].observed.production if each.source == name)
    return found


def test_all_sources_that_agree_stand_in_the_plan_with_value_time_and_link(case: Case) -> None:
    sha = case.production
    case.elsewhere = SeenElsewhere((_job(sha),), (_tag("v41", sha),), _says(sha))

    built = case.plan()

    assert _codes(built) == []
    sources = built.plan.targets[0].observed.production
    assert [each.source for each in sources] == [
        "environment",
        "deployments by finish time",
        "last production job",
        "tag or release",
        "the service itself",
    ]
    assert {each.sha for each in sources} == {sha}
    assert all(each.at and each.url for each in sources)


def test_a_production_job_that_ended_after_the_last_record_contradicts_it(case: Case) -> None:
    case.elsewhere = SeenElsewhere(jobs=(_job(OTHER),))

    (blocker,) = case.plan().plan.blockers

    assert blocker.code == "production-unknown"
    runs = f"{short(case.production)} says environment and deployments by finish time"
    assert runs in blocker.message
    assert f"{short(OTHER)} says last production job" in blocker.message
    assert "no answer from tag or release" in blocker.message
    assert "https://gitlab.example.com/job/71" in blocker.detail
    assert "deploy logs, release records" in blocker.hint


def test_a_newer_number_that_ended_earlier_is_not_the_last_job(case: Case) -> None:
    rolled_back = _job(OTHER, id=99, finished_at=NOON - timedelta(hours=1))
    case.elsewhere = SeenElsewhere(jobs=(rolled_back,))

    built = case.plan()

    assert _codes(built) == []
    assert "(70)" in _source(built, "last production job").detail, "the one of the record"


@pytest.mark.parametrize("job", [_job(OTHER, name="deploy-staging"), _job(OTHER, finished_at=None)])
def test_another_job_and_one_that_did_not_end_tell_nothing(case: Case, job: Job) -> None:
    case.elsewhere = SeenElsewhere(jobs=(job,))

    assert _codes(case.plan()) == []


def test_the_commit_of_a_job_is_its_pipelines(case: Case) -> None:
    case.elsewhere = SeenElsewhere(jobs=(_job(case.production, pipeline_sha=OTHER),))

    assert _source(case.plan(), "last production job").sha == OTHER


def test_a_release_of_another_commit_says_nothing_and_is_named(case: Case) -> None:
    case.elsewhere = SeenElsewhere(tags=(_tag("v42", OTHER), _tag("v41-rc", OTHER)))

    built = case.plan()

    assert _codes(built) == []
    source = _source(built, "tag or release")
    assert source.sha is None
    assert source.detail == "none of the deployed commit; the newest is 0bad0bad, release v42"


def test_a_tag_that_was_deployed_and_moved_since_contradicts(case: Case) -> None:
    case.deployed_ref = "v41"
    case.elsewhere = SeenElsewhere(tags=(_tag("v41", OTHER, is_release=False),))

    (blocker,) = case.plan().plan.blockers

    assert f"{short(OTHER)} says tag or release" in blocker.message


def test_a_tag_that_is_called_like_the_deployed_branch_is_another_thing(case: Case) -> None:
    case.elsewhere = SeenElsewhere(tags=(_tag("release", OTHER),))

    assert _codes(case.plan()) == []


@pytest.mark.parametrize("digits", [7, 8, 40])
def test_a_service_may_shorten_its_commit(case: Case, digits: int) -> None:
    case.elsewhere = SeenElsewhere(service=_says(case.production[:digits]))

    built = case.plan()

    assert _codes(built) == []
    assert _source(built, "the service itself").sha == case.production


def test_a_service_that_runs_something_else_contradicts(case: Case) -> None:
    case.elsewhere = SeenElsewhere(service=_says("0bad0ba"))

    (blocker,) = case.plan().plan.blockers

    assert blocker.code == "production-unknown"
    assert "0bad0ba says the service itself" in blocker.message


def test_a_service_that_is_silent_is_a_warning(case: Case) -> None:
    case.elsewhere = SeenElsewhere(service=_says(None))

    plan = case.plan().plan

    assert plan.blockers == ()
    (warning,) = plan.warnings
    assert warning.code == "production-version-silent"
    assert f"{URL} does not say" in warning.message
    assert "refused" in warning.message


def test_what_gitlab_does_not_show_is_told_and_refuses_nothing(case: Case) -> None:
    refused = ForgeError("GitLab answered 403 to GET /jobs", status=403)
    case.elsewhere = SeenElsewhere(jobs=refused, tags=refused, waiting=refused)

    built = case.plan()

    assert _codes(built) == []
    assert _source(built, "last production job").detail == refused.message
    assert _source(built, "tag or release").detail == refused.message


def test_sources_that_agree_against_the_spec_are_a_mismatch_with_all_of_them(case: Case) -> None:
    case.deployed = OTHER
    case.elsewhere = SeenElsewhere(service=_says(OTHER))

    (blocker,) = case.plan().plan.blockers

    assert blocker.code == "production-mismatch"
    assert blocker.detail.count(URL) == 1
    assert blocker.detail.startswith("environment: 0bad0bad")


def test_a_deployment_that_waits_for_an_approval_is_told_where_it_is_newer(case: Case) -> None:
    case.elsewhere = SeenElsewhere(waiting=(_blocked(9, OTHER), _blocked(4, Sha("1" * 40))))

    (warning,) = case.plan().plan.warnings

    assert warning.code == "deployment-waiting"
    assert "waits for an approval: 0bad0bad." in warning.message


def test_the_other_sources_are_not_in_the_digest(case: Case) -> None:
    before = case.plan().plan
    case.elsewhere = SeenElsewhere((_job(case.production),), (), _says(case.production))

    assert case.plan().plan.digest == before.digest
