"""What holds for every test: a sealed environment, a clock moved by hand, fixed identities.

A test sees nothing of the machine that it runs on: no home, no Git configuration, no token, no CI
variable, no proxy. So it gives the same result everywhere, and a canary that is found in an output
was put there by the test.
"""

from __future__ import annotations

import gc
import itertools
import os
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotfix.sandbox import Sandbox

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
"""When every test begins."""

_KEPT = frozenset({"PATH", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV"})
_KEPT_PREFIXES = ("PYTEST_", "PYTHON", "HYPOTHESIS_", "COV_CORE_", "COVERAGE_")

_GIT_DATE = NOON.strftime("%Y-%m-%dT%H:%M:%S+00:00")
_FIXED = {
    "COLUMNS": "100",
    "LINES": "40",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "LOGNAME": "operator",
    "USER": "operator",
    "NO_COLOR": "1",
    "TERM": "dumb",
    "TZ": "UTC",
    # git(1), "ENVIRONMENT VARIABLES": no file of the machine, no question, one identity, one date.
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_COUNT": "3",
    "GIT_CONFIG_KEY_0": "init.defaultBranch",
    "GIT_CONFIG_VALUE_0": "main",
    "GIT_CONFIG_KEY_1": "gc.auto",
    "GIT_CONFIG_VALUE_1": "0",
    "GIT_CONFIG_KEY_2": "maintenance.auto",
    "GIT_CONFIG_VALUE_2": "false",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_AUTHOR_NAME": "Ada Author",
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_AUTHOR_DATE": _GIT_DATE,
    "GIT_COMMITTER_NAME": "Cem Committer",
    "GIT_COMMITTER_EMAIL": "cem@example.com",
    "GIT_COMMITTER_DATE": _GIT_DATE,
}
_HOMES = {
    "HOME": "",
    "XDG_CACHE_HOME": ".cache",
    "XDG_CONFIG_HOME": ".config",
    "XDG_DATA_HOME": ".local/share",
    "XDG_STATE_HOME": ".local/state",
}

settings.register_profile(
    "ci",
    derandomize=True,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "oracle",
    settings.get_profile("ci"),
    derandomize=False,
    max_examples=int(os.environ.get("HOTFIX_ORACLE_EXAMPLES") or 100),
)
settings.load_profile("oracle" if os.environ.get("HOTFIX_ORACLE_EXAMPLES") else "ci")


class FixedClock:
    """A ``hotfix.clock.Clock`` that stands still until it is moved; a sleep moves it."""

    def __init__(self, start: datetime = NOON) -> None:
        self._start = start
        self._elapsed = 0.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        return self._elapsed

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self._elapsed += seconds


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Serve the embedded GitLab with its example, for one test."""
    from hotfix.sandbox import Sandbox, seed  # noqa: PLC0415  (most tests need no server)

    with Sandbox(seed.example()) as served:
        yield served


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many faults the runs of ``test_survival`` were made to survive."""
    faults = {
        value
        for reports in terminalreporter.stats.values()
        for report in reports
        if isinstance(report, pytest.TestReport) and report.when == "teardown"
        for name, value in report.user_properties
        if name == "fault"
    }
    if faults:
        terminalreporter.write_line(f"{len(faults)} distinct faults were survived.")


def pytest_collection_finish() -> None:
    """Let the garbage collector leave alone what is here to stay; it took a fifth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="session", autouse=True)
def _sealed_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Seal the environment before the first fixture of any scope is made."""
    before = dict(os.environ)
    kept = {
        name: value
        for name, value in before.items()
        if name in _KEPT or name.startswith(_KEPT_PREFIXES)
    }
    _become({**kept, **_FIXED, **_home(str(tmp_path_factory.mktemp("home")))})
    time.tzset()
    yield
    _become(before)
    time.tzset()


@pytest.fixture(autouse=True)
def _sealed(_sealed_session: None) -> Iterator[None]:
    """Give each test a home of its own, not made yet, and take back what it set."""
    before = dict(os.environ)
    os.environ.update(_home(f"{before['HOME']}/{next(_COUNTER)}"))
    yield
    _become(before)


_COUNTER = itertools.count(1)


def _home(folder: str) -> dict[str, str]:
    return {name: os.path.join(folder, part).rstrip("/") for name, part in _HOMES.items()}  # noqa: PTH118  (texts)


def _become(environment: dict[str, str]) -> None:
    # Emptied and filled rather than replaced: os.environ itself is what child processes inherit.
    for name in os.environ.keys() - environment.keys():
        del os.environ[name]
    os.environ.update(environment)
