from __future__ import annotations

import pytest

from hotfix import errors
from hotfix.cli import exits
from hotfix.errors import HotfixError
from hotfix.forge.protocol import ForgeError, UnknownOutcomeError
from hotfix.spec.problem import SpecError


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.FailedError, 1),
        (errors.WaitingError, 3),
        (errors.BlockedError, 4),
        (errors.StaleError, 5),
        (errors.LockedError, 6),
        (errors.InputError, 64),
        (errors.InterruptedRunError, 130),
    ],
)
def test_each_kind_of_error_has_its_code(kind: type[HotfixError], code: int) -> None:
    assert exits.exit_code(kind("some-code", "A sentence.")) == code


def test_every_kind_of_error_is_in_the_table() -> None:
    kinds = {kind for kind in HotfixError.__subclasses__() if kind.__module__ == "hotfix.errors"}

    assert kinds == set(exits._KINDS)


def test_a_kind_of_a_kind_has_the_same_code() -> None:
    assert exits.exit_code(ForgeError("GitLab answered 401")) == 1
    assert exits.exit_code(UnknownOutcomeError("no answer")) == 1
    assert exits.exit_code(SpecError([])) == 64


def test_the_table_is_the_contract_s() -> None:
    assert set(exits.MEANINGS) == {0, 1, 2, 3, 4, 5, 6, 64, 70, 130}
