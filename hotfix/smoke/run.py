"""Smoke checks: what tells that production is well after the deployment (runbook, step 6)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from hotfix.smoke import command, manual, tcp, tls
from hotfix.smoke.deadline import within
from hotfix.smoke.result import Finding, SmokeResult, timed_out

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotfix.clock import Clock
    from hotfix.spec.model import SmokeCheck


def run(
    check: SmokeCheck, *, clock: Clock, ask: manual.Ask | None, operator: str, deployed: str
) -> SmokeResult:
    """Let the service settle, then try the check until it is green or its retries are used up.

    ``deployed`` is the commit that production shall run. A red check is a result, never an
    exception. Raises ``UnansweredError`` for a question that nobody is there to answer. Between two
    tries the clock sleeps; the timeout of one try holds in real time, whatever the other side does.
    """
    started = clock.now()
    if check.settle:
        clock.sleep(check.settle)
    attempts = 0
    while True:
        attempts += 1
        finding = _try(check, clock, ask, operator, deployed)
        # A person's no is an answer: asking again would only ask for another one.
        if finding.passed or attempts > check.retries or check.manual is not None:
            break
        clock.sleep(check.delay)
    return SmokeResult(
        name=check.name,
        kind=check.kind,
        outcome="passed" if finding.passed else "failed",
        detail=finding.detail,
        attempts=attempts,
        started_at=started,
        finished_at=clock.now(),
        facts=finding.facts,
    )


def _try(
    check: SmokeCheck, clock: Clock, ask: manual.Ask | None, operator: str, deployed: str
) -> Finding:
    if check.manual is not None:
        return manual.observe(check.manual, clock, ask, operator)
    if check.command is not None:
        return command.observe(check.command, check.timeout, clock)
    try:
        return within(check.timeout, _connection(check, clock, deployed))
    except TimeoutError:
        return timed_out(check.timeout)


def _connection(check: SmokeCheck, clock: Clock, deployed: str) -> Callable[[], Finding]:
    if check.tcp is not None:
        return partial(tcp.observe, check.tcp, check.timeout, clock)
    if check.tls is not None:
        return partial(tls.observe, check.tls, check.timeout, clock)
    if check.http is not None:
        from hotfix.smoke import http  # noqa: PLC0415  (requests loads slowly)

        return partial(http.observe, check.http, check.timeout, clock, deployed)
    raise AssertionError(f"a check of no kind: {check.name}")
