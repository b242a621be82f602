from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hotfix.cli import connection
from hotfix.cli.connection import connect, environment_gitlab
from hotfix.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

URL = "https://gitlab.example.com"


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "python-gitlab.cfg"
    path.write_text(
        "[global]\ndefault = other\n"
        "[other]\nurl = https://other.example.com\nprivate_token = glpat-other\n"
        "[ours]\nurl = https://GitLab.example.com/\nprivate_token = glpat-ours-100%\n"
    )
    monkeypatch.setenv("PYTHON_GITLAB_CFG", str(path))
    return path


def test_hotfix_s_own_variable_comes_first(
    configured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert configured.exists()
    monkeypatch.setenv("GITLAB_TOKEN", "glpat-second")

    assert connection._token(URL) == "glpat-second"
    monkeypatch.setenv("HOTFIX_TOKEN", "glpat-first")
    assert connection._token(URL) == "glpat-first"


@pytest.mark.usefixtures("configured")
def test_the_configuration_s_section_is_taken_by_address() -> None:
    assert connection._token(URL) == "glpat-ours-100%"


@pytest.mark.usefixtures("configured")
def test_the_token_of_another_host_is_never_taken() -> None:
    with pytest.raises(InputError) as caught:
        connection._token("https://third.example.com")

    assert caught.value.code == "no-token"
    assert "HOTFIX_TOKEN" in caught.value.hint


def test_without_a_token_the_hint_names_the_variable_and_the_scopes() -> None:
    with pytest.raises(InputError) as caught:
        connect(URL)

    assert caught.value.code == "no-token"
    assert "`api`" in caught.value.hint


def test_a_helper_program_is_not_run(configured: Path) -> None:
    configured.write_text(f"[ours]\nurl = {URL}\nprivate_token = helper: pass show gitlab\n")
    with pytest.raises(InputError) as caught:
        connection._token(URL)

    assert caught.value.code == "token-helper"
    assert "pass show" not in str(caught.value)


def test_a_broken_configuration_is_refused_without_its_content(configured: Path) -> None:
    configured.write_text("private_token = glpat-secret\n")
    with pytest.raises(InputError) as caught:
        connection._token(URL)

    assert caught.value.code == "invalid-configuration"
    assert "glpat-secret" not in f"{caught.value.message}{caught.value.hint}"


@pytest.mark.parametrize("url", ["http://gitlab.example.com", "http://10.0.0.1", "ftp://x.test"])
def test_a_token_crosses_no_network_readable(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTFIX_TOKEN", "glpat-first")
    with pytest.raises(InputError):
        connect(url)


def test_without_any_gitlab_the_hint_says_where_to_write_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert environment_gitlab() is None
    with pytest.raises(InputError) as caught:
        connect(None)
    assert caught.value.code == "no-gitlab"

    monkeypatch.setenv("CI_SERVER_URL", "https://ci.example.com")
    assert environment_gitlab() == "https://ci.example.com"
    monkeypatch.setenv("HOTFIX_GITLAB_URL", URL)
    assert environment_gitlab() == URL
