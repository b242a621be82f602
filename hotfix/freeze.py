"""Whether a deploy freeze is in force, by GitLab's own rule.

GitLab stops nothing in a freeze: it sets ``CI_DEPLOY_FREEZE``, and some CI files look at it. So a
person decides, and has to know. The rule is that of its ``Ci::FreezePeriod``: the last start is
later than the last end, and the next end comes before the next start.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hotfix.clock import timestamp
from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable


class UnreadableFreezeError(ValueError):
    """A cron expression or a time zone that cannot be read here."""


@dataclass(frozen=True, slots=True)
class FreezePeriod:
    """A time in which deployments should rest: two cron expressions and their time zone."""

    start: str
    end: str
    timezone: str
    reason: str = ""
    """Why, where the team says; GitLab keeps none."""

    def __str__(self) -> str:
        """Write it on one line, with its reason where there is one."""
        why = f": {one_line(self.reason, 120)}" if self.reason else ""
        return one_line(f"{self.start} to {self.end}, {self.timezone}", 120) + why


@dataclass(frozen=True, slots=True)
class InForce:
    """A freeze that is in force, and when it ends."""

    period: FreezePeriod
    until: datetime

    def __str__(self) -> str:
        """Say it as a sentence, without its stop."""
        return f"A deploy freeze is in force until {timestamp(self.until)} ({self.period})"


def in_force(
    periods: Iterable[FreezePeriod], now: datetime
) -> tuple[tuple[InForce, ...], tuple[FreezePeriod, ...]]:
    """Tell which freezes are in force now, and of which that cannot be told here."""
    found: list[InForce] = []
    unread: list[FreezePeriod] = []
    for period in periods:
        try:
            until = frozen_until(period, now)
        except UnreadableFreezeError:
            unread.append(period)
        else:
            found += [InForce(period, until)] if until is not None else []
    return tuple(found), tuple(unread)


def frozen_until(period: FreezePeriod, now: datetime) -> datetime | None:
    """Tell when a freeze ends that is in force now; ``None`` where it is not.

    Raises ``UnreadableFreezeError`` where that cannot be told.
    """
    from zoneinfo import ZoneInfo  # noqa: PLC0415  (most plans know of no freeze)

    from cronsim import CronSim, CronSimError  # noqa: PLC0415

    try:
        there = now.astimezone(ZoneInfo(period.timezone))
        began, ended = (
            next(CronSim(cron, there, reverse=True)) for cron in (period.start, period.end)
        )
        begins, ends = (next(CronSim(cron, there)) for cron in (period.start, period.end))
    except (CronSimError, StopIteration, OSError, ValueError, KeyError) as error:
        raise UnreadableFreezeError(str(error)) from error
    return ends.astimezone(UTC) if ended < began and ends < begins else None
