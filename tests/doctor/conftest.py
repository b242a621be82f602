"""What the doctor's rules are held against, made of values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hotfix.doctor.access import Caller
from hotfix.forge.types import Grant, Project, Server, User
from tests.plan.conftest import NOON, PROJECT, Case

if TYPE_CHECKING:
    from hotfix.spec.model import Spec, Target

ME = User(9, "operator", "An Operator", frozenset({"operator@example.com"}))
WEB = f"https://gitlab.example.com/{PROJECT}"
FREE, PAID = Server(is_enterprise=False, now=NOON), Server(is_enterprise=True, now=NOON)


def project(level: int | None = 40) -> Project:
    return Project(1, PROJECT, "main", f"{WEB}.git", WEB, "merge", False, level)  # noqa: FBT003  (not archived)


def caller(level: int | None = 40) -> Caller:
    return Caller(ME, level)


def role(level: int | None, *, user: int | None = None, group: int | None = None) -> Grant:
    return Grant(f"role {level}", level, user, group)


@pytest.fixture
def spec() -> Spec:
    return Case().spec()


@pytest.fixture
def target(spec: Spec) -> Target:
    return spec.targets[0]
