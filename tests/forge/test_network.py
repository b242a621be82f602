from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import requests
import urllib3

from hotfix.errors import InputError
from hotfix.forge.gitlab import GitLabForge
from hotfix.forge.network import LostAnswerError, ca_bundle, check_base_url, origin, unanswered


@pytest.mark.parametrize(
    "url",
    [
        "https://gitlab.example.com",
        "https://gitlab.example.com:8443/gitlab",
        "http://127.0.0.1:8080",
        "http://127.8.9.1",
        "http://localhost:3000",
        "http://[::1]:3000",
    ],
)
def test_https_anywhere_and_http_on_this_machine_are_taken(url: str) -> None:
    assert check_base_url(f"{url}/") == url


@pytest.mark.parametrize(
    "url",
    [
        "http://gitlab.example.com",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "http://10.0.0.1",
        "ftp://gitlab.example.com",
        "gitlab.example.com",
        "https://",
        "https://gitlab.example.com:port",
        "https://gitlab.example.com?x=1",
        "https://gitlab.example.com/#a",
        "https://exa mple.com",
        "https://gitlab.example.com\n",
        "",
    ],
)
def test_any_other_address_is_refused(url: str) -> None:
    with pytest.raises(InputError) as caught:
        check_base_url(url)

    assert caught.value.code == "gitlab-url"


def test_an_address_with_a_password_is_refused_without_showing_it() -> None:
    with pytest.raises(InputError) as caught:
        check_base_url("https://me:s3cret@gitlab.example.com")

    assert "s3cret" not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize("token", ["", " ", "a b", "tok\nen", "tök", "tok\x00"])
def test_a_token_that_no_header_can_carry_is_refused_without_showing_it(token: str) -> None:
    with pytest.raises(InputError) as caught:
        GitLabForge("https://gitlab.example.com", token)

    assert caught.value.code == "token"
    assert not token.strip() or token not in str(caught.value)


def test_an_origin_knows_the_default_port_and_no_case() -> None:
    assert origin("https://GitLab.example.com/a") == origin("https://gitlab.example.com:443")
    assert origin("https://a.example") != origin("https://a.example:8443")
    assert origin("https://a.example") != origin("http://a.example:443")


def test_the_first_certificate_variable_that_is_set_counts(tmp_path: Path) -> None:
    first, second = str(tmp_path / "a.pem"), str(tmp_path / "b.pem")
    for path in (first, second):
        Path(path).touch()

    assert ca_bundle({}) is None
    assert ca_bundle({"SSL_CERT_FILE": second, "GIT_SSL_CAINFO": first}) == second
    assert ca_bundle({"REQUESTS_CA_BUNDLE": first, "SSL_CERT_FILE": second}) == first
    assert ca_bundle({"CURL_CA_BUNDLE": str(tmp_path)}) == str(tmp_path)


def test_certificates_that_are_not_there_are_named_with_their_variable() -> None:
    with pytest.raises(InputError, match=r"SSL_CERT_FILE names /none/ca\.pem, where there are no"):
        ca_bundle({"SSL_CERT_FILE": "/none/ca.pem"})


def test_a_certificate_that_is_not_trusted_is_named_and_not_tried_again() -> None:
    cause = ssl.SSLCertVerificationError(1, "certificate verify failed")
    cause.verify_message = "self-signed certificate"

    error = unanswered(requests.exceptions.SSLError(urllib3.exceptions.SSLError(cause)), "GET /x")

    assert error.code == "gitlab-unusable"
    assert "self-signed certificate" in error.message


def test_a_proxys_password_is_not_repeated() -> None:
    cause = urllib3.exceptions.ProxyError("http://me:s3cret@proxy", OSError("no"))

    error = unanswered(requests.exceptions.ProxyError(cause), "GET /x")

    assert not isinstance(error, LostAnswerError)
    assert "s3cret" not in f"{error} {error.hint}"


def test_only_a_connection_that_never_stood_proves_that_nothing_was_sent() -> None:
    broken = urllib3.exceptions.ProtocolError("Connection aborted.", ConnectionResetError())

    assert isinstance(unanswered(requests.ConnectionError(broken), "POST /x"), LostAnswerError)
    assert isinstance(unanswered(broken, "POST /x"), LostAnswerError)
