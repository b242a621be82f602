"""Exit codes: one table for all commands (contract, section 5)."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from hotfix.errors import (
    BlockedError,
    FailedError,
    InputError,
    InterruptedRunError,
    LockedError,
    StaleError,
    WaitingError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hotfix.errors import HotfixError

DONE: Final = 0
FAILED: Final = 1
TO_DO: Final = 2
WAITING: Final = 3
BLOCKED: Final = 4
STALE: Final = 5
LOCKED: Final = 6
WRONG_INPUT: Final = 64
DEFECT: Final = 70
INTERRUPTED: Final = 130

MEANINGS: Final[Mapping[int, str]] = MappingProxyType(
    {
        DONE: "done, or nothing to do",
        FAILED: "failed: a check, a pipeline, a server, a refused token",
        TO_DO: "`plan --detailed-exitcode`: there is something to do",
        WAITING: "waiting: at a human gate, or longer than `--wait`",
        BLOCKED: "blocked: the runbook says stop and escalate",
        STALE: "stale: the world is not the one that was planned on",
        LOCKED: "the lock is held by another run",
        WRONG_INPUT: "the command line, the set-up or a file given is wrong",
        DEFECT: "a defect of this program",
        INTERRUPTED: "interrupted; the same command goes on",
    }
)

_KINDS: Final[Mapping[type[HotfixError], int]] = MappingProxyType(
    {
        FailedError: FAILED,
        WaitingError: WAITING,
        BlockedError: BLOCKED,
        StaleError: STALE,
        LockedError: LOCKED,
        InputError: WRONG_INPUT,
        InterruptedRunError: INTERRUPTED,
    }
)


def exit_code(error: HotfixError) -> int:
    """Return the exit code of an error's kind."""
    return next((code for kind, code in _KINDS.items() if isinstance(error, kind)), DEFECT)
