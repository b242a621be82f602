"""Whether this machine reaches what a run asks, and agrees with it on the time."""

from __future__ import annotations

import shlex
import shutil
from functools import partial
from typing import TYPE_CHECKING, Final

from hotfix.doctor.model import Check
from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from hotfix.forge.types import Server
    from hotfix.smoke.result import SmokeResult
    from hotfix.smoke.version import Reported
    from hotfix.spec.model import SmokeCheck, Target

_SKEW_SECONDS: Final = 60


def clock_check(server: Server | None, now: datetime) -> Check:
    """Compare the two clocks: the record sets times of both side by side.

    GitLab tells whole seconds, and its answer was some time under way.
    """
    check = partial(Check, id="clock-skew", target=None)
    if server is None or server.now is None:
        return check(
            outcome="not-seen",
            message="GitLab's clock: its answer bears no time.",
            hint="Compare this machine's clock with another.",
            command="timedatectl status",
        )
    skew = round((now - server.now).total_seconds())
    if abs(skew) <= _SKEW_SECONDS:
        return check(outcome="passed", message=f"The clocks agree within {_SKEW_SECONDS} s.")
    side = "ahead of" if skew > 0 else "behind"
    return check(
        outcome="warning",
        message=f"This machine's clock is {abs(skew)} s {side} GitLab's.",
        hint="Have it set by NTP: the record, the lock and the order of what happened rest on it.",
        command="timedatectl status",
    )


def smoke_check(target: Target, check: SmokeCheck, result: SmokeResult | None) -> Check:
    """Tell whether a smoke check can be made from here, and whether it is red already.

    ``result`` is ``None`` for what is not tried: no program is started, and nobody is asked.
    """
    found = partial(Check, id="smoke-check", target=target.project)
    name = one_line(check.name, 100)
    if check.manual is not None:
        return found(outcome="passed", message=f"{name} is asked of a person.")
    if check.command is not None:
        return _program(found, name, check.command.argv)
    if result is None:
        raise ValueError(f"{name} is made over the network, and was not")
    seen = f"{name}: {result.detail}"
    if result.outcome == "passed":
        return found(outcome="passed", message=seen)
    if result.facts:
        return found(
            outcome="warning",
            message=f"{seen}. It answers, and is red already.",
            hint="See whether the hotfix is to mend it; else correct the check.",
            command=_by_hand(check),
        )
    return found(
        outcome="failed",
        message=f"{seen}. It cannot be made from this machine.",
        hint="Have the network opened, apply from a machine that reaches it, or correct the check.",
        command=_by_hand(check),
    )


def _program(found: partial[Check], name: str, argv: Sequence[str]) -> Check:
    """Tell whether a check's program is on this machine; it may change things, so it is not run."""
    program = one_line(argv[0], 100)
    if shutil.which(argv[0]) is None:
        return found(
            outcome="failed",
            message=f"{name} runs `{program}`, which is not on this machine.",
            hint="Install it, or apply from a machine that has it.",
            command=shlex.join(["command", "-v", argv[0]]),
        )
    return found(
        outcome="not-seen",
        message=f"{name} runs `{program}`. It is here, and is not started to look.",
        hint="Try it here by hand.",
        command=shlex.join(argv),
    )


def version_check(target: Target, said: Reported) -> Check:
    """Tell whether the running service says its commit, where the spec says that it does."""
    check = partial(Check, id="production-version", target=target.project)
    message = f"{one_line(said.url)}: {said.detail}"
    if said.commit:
        return check(outcome="passed", message=message)
    return check(
        outcome="warning",
        message=message,
        hint="Correct `production_version`, or find out why the service is silent.",
        command=_curl(said.url),
    )


def _by_hand(check: SmokeCheck) -> str | None:
    """Write the command line that tries a check by hand."""
    if check.http is not None:
        return _curl(check.http.url)
    if check.tcp is not None:
        return shlex.join(["nc", "-vz", check.tcp.host.strip("[]"), str(check.tcp.port)])
    if check.tls is not None:
        where = f"{check.tls.host}:{check.tls.port}"
        line = shlex.join(["openssl", "s_client", "-connect", where, "-servername", check.tls.host])
        return f"{line} </dev/null"
    return None


def _curl(url: str) -> str:
    return shlex.join(["curl", "-sS", "-i", "--max-time", "10", url])
