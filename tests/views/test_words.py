from __future__ import annotations

from hotfix.spec.model import HttpCheck, SmokeCheck
from hotfix.views.words import smoke_check


def test_a_check_says_everything_that_it_expects_of_an_answer() -> None:
    check = HttpCheck.model_validate(
        {
            "url": "https://core.example.com/health",
            "json": {"status": "ok"},
            "contains": "ok",
            "jmespath": {"length(services)": 2},
            "commit": "git.sha",
            "answer_headers": {"Content-Type": "application/json"},
            "max_latency": 800,
        }
    )

    assert smoke_check(SmokeCheck(name="health", http=check)) == (
        'GET https://core.example.com/health answers 200 with {"status": "ok"}, containing ok, '
        "length(services) giving 2, git.sha naming the deployed commit, "
        "application/json in its Content-Type, within 800 ms"
    )
