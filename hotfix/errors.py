"""What can go wrong, in the words that the operator reads.

An error names what was seen, what was expected and what to do next. It carries the stable code of
the contract; which exit code its kind means is known to the command line alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hotfix.results import TargetResult


class HotfixError(Exception):
    """Base of every expected error; only its kinds below are raised."""

    def __init__(self, code: str, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.results: tuple[TargetResult, ...] = ()
        """How each target ended, where a run had several."""


class FailedError(HotfixError):
    """A check, a pipeline or a server failed, or a token was refused."""


class WaitingError(HotfixError):
    """A human gate, or a wait that took longer than allowed; the same command resumes."""


class BlockedError(HotfixError):
    """The runbook says stop and escalate."""


class StaleError(HotfixError):
    """The world is not the one that was planned on."""


class LockedError(HotfixError):
    """Another run holds the lock."""


class InputError(HotfixError):
    """The command line, the set-up or a file given is wrong."""


class InterruptedRunError(HotfixError):
    """The operator stopped the run; the same command resumes."""
