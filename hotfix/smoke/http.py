"""Ask a URL once; what the answer is worth is ``answer``'s to say."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import requests
import urllib3

from hotfix import __version__
from hotfix.smoke.answer import MAX_BODY, Answer, complaint_about
from hotfix.smoke.result import Finding, extract, timed_out
from hotfix.smoke.trust import ca_bundle, why

if TYPE_CHECKING:
    from pydantic import JsonValue

    from hotfix.clock import Clock
    from hotfix.spec.model import HttpCheck


def observe(check: HttpCheck, timeout: float, clock: Clock, deployed: str) -> Finding:
    """Send the request and judge the answer; ``deployed`` is the commit that production shall run.

    A redirect is the answer, and is followed nowhere: a health page that sends its visitors to a
    login page is not healthy. The request carries the headers of the spec and no credential: no
    cookie, no netrc entry, no token. Proxies and authorities are the environment's.
    """
    answer = ask(check, timeout, clock)
    if isinstance(answer, Finding):
        return answer
    complaint = complaint_about(answer, check, deployed)
    seen = f"HTTP {answer.status}, {len(answer.body)} bytes in {answer.latency_ms} ms"
    return Finding(passed=not complaint, detail=complaint or seen, facts=_facts(answer))


def ask(check: HttpCheck, timeout: float, clock: Clock) -> Answer | Finding:
    """Send the request; return what came back, or the finding that nothing did."""
    try:
        return _request(check, timeout, clock)
    except (requests.Timeout, TimeoutError):
        return timed_out(timeout)
    except (
        requests.RequestException,
        urllib3.exceptions.HTTPError,
        OSError,
        UnicodeError,
    ) as error:
        return Finding(passed=False, detail=why(error))


def _request(check: HttpCheck, timeout: float, clock: Clock) -> Answer:
    begin = clock.monotonic()
    with requests.Session() as session:
        # An auth that adds nothing keeps requests from looking into ~/.netrc.
        session.auth = _no_credentials
        # Compressed bodies could burst; what is asked for as it is can be read up to a bound.
        session.headers.update(
            {"User-Agent": f"hotfix/{__version__}", "Accept-Encoding": "identity"}
        )
        with session.request(
            check.method,
            check.url,
            headers=dict(check.headers),
            timeout=timeout,
            allow_redirects=False,
            stream=True,
            verify=ca_bundle() or True,
        ) as response:
            body = _read(response)
            return Answer(
                status=response.status_code,
                headers=dict(response.headers),
                body=body[:MAX_BODY],
                complete=len(body) <= MAX_BODY,
                latency_ms=round((clock.monotonic() - begin) * 1000),
            )


def _no_credentials(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _read(response: requests.Response) -> bytes:
    body = b""
    for chunk in response.raw.stream(64 * 1024, decode_content=False):
        body += chunk
        if len(body) > MAX_BODY:
            break
    return body


def _facts(answer: Answer) -> dict[str, JsonValue]:
    facts: dict[str, JsonValue] = {
        "status": answer.status,
        "latency_ms": answer.latency_ms,
        "body_bytes": len(answer.body),
        "body_complete": answer.complete,
        "body_digest": "sha256:" + hashlib.sha256(answer.body).hexdigest(),
        "extract": extract(answer.body),
    }
    if location := answer.header("Location"):
        facts["location"] = extract(location.encode("utf-8", "replace"))
    return facts
