"""Clocks, smoke checks and the service's version: each red, green, and not tried."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from hotfix.doctor import reach
from hotfix.forge.types import Server
from hotfix.smoke.result import SmokeResult
from hotfix.smoke.version import Reported
from hotfix.spec.model import (
    CommandCheck,
    HttpCheck,
    ManualCheck,
    SmokeCheck,
    TcpCheck,
    TlsCheck,
)
from tests.plan.conftest import NOON

from .conftest import PAID

if TYPE_CHECKING:
    from pathlib import Path

    from hotfix.spec.model import Target

URL = "https://core.example.com/it's"


@pytest.mark.parametrize(
    ("seconds", "outcome", "said"),
    [
        (0, "passed", "agree"),
        (-60, "passed", "agree"),
        (61, "warning", "61 s ahead of GitLab's"),
        (-90, "warning", "90 s behind GitLab's"),
    ],
)
def test_clocks_may_differ_by_a_minute(seconds: int, outcome: str, said: str) -> None:
    check = reach.clock_check(PAID, NOON + timedelta(seconds=seconds))

    assert (check.outcome, said in check.message) == (outcome, True)


@pytest.mark.parametrize("server", [None, Server(is_enterprise=True, now=None)])
def test_a_clock_that_is_not_told_is_a_gap(server: Server | None) -> None:
    assert reach.clock_check(server, NOON).outcome == "not-seen"


def result(outcome: Any, detail: str, **facts: Any) -> SmokeResult:  # noqa: ANN401
    return SmokeResult("health", "http", outcome, detail, 1, NOON, NOON, facts)


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        (result("passed", "HTTP 200", status=200), "passed"),
        (result("failed", "HTTP 503, expected 200", status=503), "warning"),
        (result("failed", "no answer within 5 s"), "failed"),
    ],
)
def test_a_check_that_answers_red_is_told_from_one_that_is_not_reached(
    target: Target, said: SmokeResult, outcome: str
) -> None:
    check = SmokeCheck(name="health", http=HttpCheck(url=URL))

    found = reach.smoke_check(target, check, said)

    assert (found.outcome, said.detail in found.message) == (outcome, True)
    by_hand = "curl -sS -i --max-time 10 'https://core.example.com/it'\"'\"'s'"
    assert found.command == (None if outcome == "passed" else by_hand)


@pytest.mark.parametrize(
    ("kind", "command"),
    [
        ({"tcp": TcpCheck(host="db.example.com", port=5432)}, "nc -vz db.example.com 5432"),
        (
            {"tls": TlsCheck(host="a.example")},
            "openssl s_client -connect a.example:443 -servername a.example </dev/null",
        ),
    ],
)
def test_how_to_try_by_hand_fits_the_kind(
    target: Target, kind: dict[str, Any], command: str
) -> None:
    check = SmokeCheck(name="health", **kind)

    assert reach.smoke_check(target, check, result("failed", "no")).command == command


def test_a_program_that_is_here_is_not_started_and_said_to_be_untried(target: Target) -> None:
    check = SmokeCheck(name="local", command=CommandCheck(argv=("sh", "-c", "exit 1")))

    found = reach.smoke_check(target, check, None)

    assert (found.outcome, found.command) == ("not-seen", "sh -c 'exit 1'")


def test_a_program_that_is_not_here_would_fail(target: Target, tmp_path: Path) -> None:
    program = str(tmp_path / "check it")
    check = SmokeCheck(name="local", command=CommandCheck(argv=(program, "--now")))

    found = reach.smoke_check(target, check, None)

    assert (found.outcome, found.command) == ("failed", f"command -v '{program}'")


def test_a_question_needs_no_network(target: Target) -> None:
    check = SmokeCheck(name="eyes", manual=ManualCheck(question="Well?"))

    assert reach.smoke_check(target, check, None).outcome == "passed"


@pytest.mark.parametrize(("commit", "outcome"), [("d34e06cc", "passed"), (None, "warning")])
def test_a_service_that_does_not_say_its_commit_is_told(
    target: Target, commit: str | None, outcome: str
) -> None:
    check = reach.version_check(target, Reported(commit, NOON, URL, "it says so"))

    assert (check.id, check.outcome, bool(check.command)) == (
        "production-version",
        outcome,
        commit is None,
    )
