from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from hotfix.smoke.http import MAX_BODY
from hotfix.smoke.version import reported
from hotfix.spec.model import ProductionVersion

if TYPE_CHECKING:
    from hotfix.smoke.version import Reported
    from tests.conftest import FixedClock

    from .conftest import Site

SHA = "5f2c0d0c8f0b5f8a3a2e6f9f0c1d2e3f4a5b6c7d"


def _asked(site: Site, clock: FixedClock, path: str = "git.sha") -> Reported:
    return reported(ProductionVersion(url=f"{site.url}/version", json_path=path), clock)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("git.sha", {"git": {"sha": SHA}}),
        ("sha", {"sha": f" {SHA.upper()}\n"}),
        ("apps[1].commit", {"apps": [{}, {"commit": SHA}]}),
        ('"git.commit".id', {"git.commit": {"id": SHA}}),
        ("matrix[0][1]", {"matrix": [[None, SHA]]}),
    ],
)
def test_the_commit_is_read_where_the_path_leads(
    site: Site,
    clock: FixedClock,
    path: str,
    body: Any,  # noqa: ANN401
) -> None:
    site.body = json.dumps(body).encode()

    said = _asked(site, clock, path)

    assert (said.commit, said.at, said.url) == (SHA, clock.now(), f"{site.url}/version")
    assert said.detail == f"it says {SHA}"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"git": {"sha": "v41"}}', "at `git.sha` it says `v41`, expected a commit id"),
        (b'{"git": {"sha": 5}}', "it says `5`"),
        (b'{"git": "5f2c0d0"}', "it says nothing"),
        (b"{}", "it says nothing"),
        (b'{"git": {"sha": "5f2c0d"}}', "it says `5f2c0d`"),
        (b"<html>", "the body is no JSON"),
        (b'["5f2c0d0"]', "expected"),
        (b'{"git": {"sha": "\\u001b[2J"}}', "it says `\\x1b[2J`"),
        (b'{"git": {"sha": "' + b"5" * MAX_BODY + b'"}}', "bytes were read"),
    ],
)
def test_an_answer_without_a_commit_is_silence_with_its_reason(
    site: Site, clock: FixedClock, body: bytes, why: str
) -> None:
    site.body = body

    said = _asked(site, clock)

    assert said.commit is None
    assert why in said.detail


def test_a_service_that_is_down_or_sends_elsewhere_is_silent(site: Site, clock: FixedClock) -> None:
    site.status, site.headers = 302, {"Location": "https://login.example.com/"}
    assert _asked(site, clock).detail == ("HTTP 302 to `https://login.example.com/`, expected 200")
    assert len(site.requests) == 1, "a redirect is followed nowhere"
    nobody = ProductionVersion(url="http://127.0.0.1:9/version", json_path="sha")
    assert reported(nobody, clock).detail.startswith("no connection: ")


def test_no_token_goes_to_the_service(
    site: Site, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOTFIX_TOKEN", "glpat-canary-0001")

    _asked(site, clock)

    assert "canary" not in str(site.requests)


@pytest.mark.parametrize("path", ["", ".sha", "git..sha", "git.sha |", "a[", 'a."b'])
def test_what_is_no_expression_is_refused_with_an_example(path: str) -> None:
    with pytest.raises(ValidationError, match=r"no JMESPath expression|is empty"):
        ProductionVersion(url="https://core.example.com/version", json_path=path)
