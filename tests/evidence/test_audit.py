from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from hotfix.canonical import digest, without
from hotfix.evidence.audit import audit
from hotfix.evidence.checks import nine_checks
from hotfix.evidence.lockfile import parse, serialize
from hotfix.evidence.model import Lock
from hotfix.evidence.report import AuditFinding, AuditReport
from hotfix.plan.document import plan_digest, to_json

if TYPE_CHECKING:
    from conftest import Story

pytestmark = pytest.mark.usefixtures("_no_schema")

CORE, WEB = "evenergi/bf-manage-core", "evenergi/bf-manage-web"
OTHER = "0123456789abcdef0123456789abcdef01234567"


def read(raw: dict[str, Any]) -> AuditReport:
    """Audit a document as a file."""
    text = json.dumps(raw, indent=2, ensure_ascii=False) + "\n"
    return audit(parse(text.encode(), "x.lock.json"))


def failures(report: AuditReport) -> dict[str, str]:
    """Tell what failed, and the first place of each."""
    found: dict[str, str] = {}
    for finding in report.findings:
        if finding.outcome == "failed":
            found.setdefault(finding.what, finding.where)
    return found


def notes(report: AuditReport) -> dict[str, str]:
    """Tell what was noted."""
    return {each.what: each.detail for each in report.findings if each.outcome == "note"}


def rechained(raw: dict[str, Any]) -> dict[str, Any]:
    """Make the chain anew from end to end, and all that hangs on it, as a forger would."""
    previous = raw["plan_digest"]
    for seq, entry in enumerate(raw["entries"], 1):
        entry |= {"seq": seq, "previous": previous}
        previous = entry["digest"] = digest(without(entry, "digest"))
    raw["head"] = previous
    lock = Lock.model_validate_json(json.dumps(raw))
    raw["checks"] = [to_json(check) for check in nine_checks(lock.plan, lock.entries)]
    return raw


@pytest.mark.parametrize("kind", ["hotfix", "rollback"])
def test_a_lockfile_as_it_was_written_passes(request: pytest.FixtureRequest, kind: str) -> None:
    story: Story = request.getfixturevalue(kind)
    report = audit(story.document())

    assert failures(report) == {}
    assert report.verdict == "passed"
    assert (report.scope, report.kind, report.state) == ("offline", kind, "complete")
    assert len(report.checks) == 18


def test_everything_that_was_examined_is_told(hotfix: Story) -> None:
    told = [each.what for each in audit(hotfix.document()).findings if each.outcome == "passed"]

    assert told == [
        "spelling",
        "plan",
        "binding",
        "chain",
        "head",
        "seal",
        "identity",
        "state",
        "approvals",
        "checks",
        "targets",
        "writes",
        "forbidden-action",
        "blockers",
        "merge-requests",
        "merge-requests",
    ]


def test_the_report_is_json_with_its_verdict(hotfix: Story) -> None:
    document = json.loads(audit(hotfix.document()).model_dump_json())

    assert document["verdict"] == "passed"
    assert document["source"] == "hotfix.lock.json"


def test_blank_space_alone_is_no_change(hotfix: Story) -> None:
    raw = json.loads(serialize(hotfix.sealed()))
    dense = json.dumps(raw, ensure_ascii=False, separators=(",", ":")).encode()

    assert audit(parse(dense, "x.lock.json")).verdict == "passed"


def test_the_same_value_spelled_otherwise_is_told_with_its_line(hotfix: Story) -> None:
    data = serialize(hotfix.sealed())
    line = data[: data.index("früh".encode())].count(b"\n") + 1
    report = audit(parse(data.replace("ü".encode(), b"\\u00fc", 1), "x.lock.json"))

    assert failures(report) == {"spelling": "$"}
    (finding,) = (each for each in report.findings if each.outcome == "failed")
    assert finding.detail.startswith(f"Line {line} has `")


def test_an_unfinished_hotfix_is_incomplete_and_no_forgery(hotfix: Story) -> None:
    hotfix.told = hotfix.told[:20]
    report = audit(parse(serialize(hotfix.lock()), "x.lock.json"))

    assert report.verdict == "incomplete"
    assert failures(report) == {}


def test_a_failed_check_is_an_honest_record(hotfix: Story) -> None:
    hotfix.change("verify-production", CORE, "observed", environment_sha=OTHER)
    hotfix.told[-1].state = "failed"
    report = audit(hotfix.document())

    assert failures(report) == {}
    assert report.verdict == "incomplete"


@pytest.mark.parametrize(
    ("path", "value", "what", "where"),
    [
        (("plan", "spec", "title"), "other", "plan", "$.plan.spec"),
        (("plan", "rollback", "targets", 0, "after"), OTHER, "plan", "$.plan.rollback"),
        (("plan", "targets", 0, "after"), OTHER, "plan", "$.plan"),
        (("plan", "observed", "by"), "x", "binding", "$.plan[observed, gitlab, tool_version,"),
        (("plan", "gitlab"), "https://x.example.com", "binding", "$.plan[observed, gitlab,"),
        (("plan", "warnings", 0, "message"), "x", "binding", "$.plan[observed, gitlab,"),
        (("plan", "targets", 0, "observed", "url"), "x", "binding", "$.plan[observed, gitlab,"),
        (("applied_by",), "mallory", "binding", "$.applied_by"),
        (("gitlab",), "https://x.example.com", "binding", "$.gitlab"),
        (("tool_version",), "9.9.9", "binding", "$.tool_version"),
        (("hotfix",), "other", "identity", "$.hotfix"),
        (("kind",), "rollback", "identity", "$.kind"),
        (("plan_digest",), "sha256:" + "0" * 64, "plan", "$.plan_digest"),
        (("spec_digest",), "sha256:" + "0" * 64, "plan", "$.spec_digest"),
        (("state",), "failed", "state", "$.state"),
        (("approvals", 0, "by"), "mallory", "approvals", "$.approvals[0]"),
        (("approvals",), [], "approvals", "$.approvals"),
        (("entries", 7, "facts", "how"), "adopted", "chain", "$.entries[7].digest"),
        (("entries", 7, "at"), "2027-01-01T00:00:00Z", "chain", "$.entries[7].digest"),
        (("checks", 3, "outcome"), "failed", "checks", "$.checks[3]"),
        (("checks", 3, "detail"), "All is well.", "checks", "$.checks[3]"),
        (("checks", 3, "evidence"), [1], "checks", "$.checks[3]"),
        (("checks",), [], "checks", "$.checks"),
        (("head",), "sha256:" + "0" * 64, "head", "$.head"),
        (("seal", "head"), "sha256:" + "0" * 64, "seal", "$.seal.head"),
        (("seal", "incident"), "https://x.example.com", "seal", "$.seal.incident"),
        (("seal", "at"), "2026-13-45T99:99:99Z", "seal", "$.seal.at"),
    ],
)
def test_a_changed_value_is_found_and_named(
    hotfix: Story, path: tuple[str | int, ...], value: object, what: str, where: str
) -> None:
    raw = json.loads(serialize(hotfix.sealed()))
    inner: Any = raw
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    report = read(raw)

    assert report.verdict == "failed"
    assert failures(report)[what].startswith(where)


def test_a_plan_changed_with_new_digests_breaks_the_chain(hotfix: Story) -> None:
    raw = json.loads(serialize(hotfix.sealed()))
    raw["plan"]["incident"]["title"] = "other"
    raw["plan"]["digest"] = raw["plan_digest"] = plan_digest(raw["plan"])

    assert failures(read(raw))["chain"] == "$.entries[0].previous"


def test_a_chain_made_anew_is_found_by_the_seal(hotfix: Story) -> None:
    raw = json.loads(serialize(hotfix.sealed()))
    raw["entries"][0]["facts"]["user"] = "mallory"
    report = read(rechained(raw))

    assert failures(report) == {"seal": "$.seal.head"}


def test_a_chain_made_anew_without_a_seal_passes_and_the_report_says_that_it_would(
    hotfix: Story,
) -> None:
    raw = json.loads(serialize(hotfix.sealed()))
    raw["entries"][0]["facts"]["user"] = "mallory"
    raw["seal"] = None
    report = read(rechained(raw))

    assert report.verdict == "passed"
    assert "made anew as a whole" in notes(report)["anchor"]


def test_a_seal_is_good_for_nothing_until_the_incident_was_asked(hotfix: Story) -> None:
    document = hotfix.document()
    said = notes(audit(document))["anchor"]

    assert document.lock.head in said
    assert "https://gitlab.example.com/evenergi/develop/-/issues/77" in said


def test_what_gitlab_answered_takes_the_place_of_the_note(hotfix: Story) -> None:
    report = audit(hotfix.document())
    answer = AuditFinding(outcome="failed", what="anchor", where="$.seal", detail="Another head.")
    online = report.online([answer])

    assert (online.scope, online.verdict) == ("online", "failed")
    assert [each for each in online.findings if each.what == "anchor"] == [answer]
    assert report.verdict == "passed"


def test_a_first_entry_that_pins_nothing_fails(hotfix: Story) -> None:
    raw = json.loads(serialize(hotfix.sealed()))
    del raw["entries"][0]["facts"]["binding"]

    assert failures(read(rechained(raw)))["binding"] == "$.entries[0].facts"


def test_complete_is_believed_only_with_all_checks_passed(hotfix: Story) -> None:
    hotfix.find("smoke", CORE, "observed", name="ask").facts["outcome"] = "failed"
    report = audit(hotfix.document())

    assert failures(report) == {"state": "$.state"}
    (finding,) = (each for each in report.findings if each.outcome == "failed")
    assert finding.detail == "The file says complete, but 1 checks are not passed."


def test_an_entry_of_a_project_that_nobody_planned_fails(hotfix: Story) -> None:
    hotfix.add("restore", "evenergi/other", "intent", old=OTHER, new=OTHER)

    assert failures(audit(hotfix.document())) == {"targets": "$.entries[40].target"}


def test_only_the_incident_is_for_no_target(hotfix: Story) -> None:
    hotfix.add("unlock", None, "done", ref="x")

    assert failures(audit(hotfix.document())) == {"targets": "$.entries[40].target"}


@pytest.mark.parametrize(
    ("step", "phase", "facts", "where"),
    [
        ("restore", "intent", {"new": OTHER}, "new"),
        ("restore", "done", {"old": OTHER}, "old"),
        ("pick", "intent", {"new": OTHER}, "new"),
        ("pick", "intent", {"commits": [OTHER]}, "commits"),
        ("pick", "done", {"commits": [{"sha": OTHER}]}, "commits"),
        ("promote", "intent", {"commit": OTHER}, "commit"),
    ],
)
def test_a_commit_that_was_written_without_being_planned_fails(
    hotfix: Story, step: str, phase: str, facts: dict[str, object], where: str
) -> None:
    hotfix.change(step, CORE, phase, **facts)
    report = audit(hotfix.document())

    assert failures(report)["writes"].endswith(f".facts.{where}")


def test_the_cut_off_action_in_what_was_sent_fails(hotfix: Story) -> None:
    hotfix.change(
        "orchestrate", WEB, "intent", inputs={"action": "Bring All code to release branch"}
    )

    assert failures(audit(hotfix.document()))["forbidden-action"].endswith(".facts.inputs")


def test_the_cut_off_action_in_the_plan_fails(hotfix: Story) -> None:
    document = to_json(hotfix.plan)
    document["targets"][1]["pipeline"]["inputs"]["action"] = "bring-all-code-to-release-branch"
    hotfix.planned(targets=document["targets"])

    assert failures(audit(hotfix.document()))["forbidden-action"] == "$.plan.targets[1].pipeline"


def test_a_blocker_that_was_passed_fails(hotfix: Story) -> None:
    blocker = {"code": "mr-not-approved", "target": CORE, "message": "m", "hint": "h"}
    hotfix.planned(blockers=[blocker])

    assert failures(audit(hotfix.document())) == {"blockers": "$.plan.blockers[0]"}


@pytest.mark.parametrize(
    ("fact", "said"),
    [
        ({"approved_by": ["ada"]}, "had 0 of 1 approvals by others than its author"),
        ({"approved_by": []}, "had 0 of 1 approvals by others than its author"),
        ({"approved_by": None}, "had 0 of 1 approvals by others than its author"),
        ({"state": "opened"}, "was opened, not merged"),
        ({"approvals_left": 2}, "still needed 2 approvals by GitLab's own rules"),
        ({"iid": 1}, "Preflight did not look at"),
    ],
)
def test_a_merge_request_that_the_policy_refuses_fails(
    hotfix: Story, fact: dict[str, object], said: str
) -> None:
    hotfix.find("preflight", CORE, "observed").facts["merge_requests"][0] |= fact
    report = audit(hotfix.document())

    assert failures(report) == {"merge-requests": "$.entries[0].facts.merge_requests"}
    (finding,) = (each for each in report.findings if each.outcome == "failed")
    assert said in finding.detail
    assert f"{CORE}!812" in finding.detail


def test_an_author_may_approve_where_the_policy_lets_them(hotfix: Story) -> None:
    spec = to_json(hotfix.plan)["spec"]
    spec["policy"]["approvals"] = {"minimum": 2, "not_author": False}
    hotfix.planned(spec=spec)

    assert failures(audit(hotfix.document())) == {}


def test_a_clock_that_ran_backwards_is_a_note(hotfix: Story) -> None:
    raw = json.loads(serialize(hotfix.sealed()))
    raw["entries"][5]["at"] = "2020-01-01T00:00:00Z"
    raw["seal"] = None
    report = read(rechained(raw))

    assert report.verdict == "passed"
    assert "2020-01-01T00:00:00Z is earlier" in notes(report)["time"]


def test_another_address_of_the_gitlab_is_a_note(hotfix: Story) -> None:
    hotfix.planned(gitlab="http://127.0.0.1:8080")
    report = audit(hotfix.document())

    assert report.verdict == "passed"
    assert notes(report)["gitlab"] == (
        "Planned through http://127.0.0.1:8080, applied through https://gitlab.example.com."
    )


def test_a_hotfix_that_was_rolled_back_says_so(hotfix: Story) -> None:
    hotfix.add("incident", None, "observed").state = "rolled-back"
    report = audit(hotfix.document())

    assert failures(report) == {}
    assert "rolled back" in notes(report)["rollback"]


WEIRD: list[object] = [None, 7, "x", [], {}, [[1]], [{"iid": [1]}]]


@pytest.mark.parametrize("value", WEIRD, ids=repr)
def test_no_fact_of_whatever_shape_makes_an_audit_stumble(hotfix: Story, value: object) -> None:
    hotfix.told = [each for each in hotfix.told if each.target != WEB]
    for told in hotfix.told:
        told.facts = dict.fromkeys([*told.facts], value)
    hotfix.told.append(hotfix.told[0])
    lock = hotfix.lock()

    assert audit(parse(serialize(lock), "x.lock.json")).verdict in {"incomplete", "failed"}
