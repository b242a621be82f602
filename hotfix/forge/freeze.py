"""Whether a deploy freeze is in force, by GitLab's own rule.

GitLab stops nothing in a freeze: it sets ``CI_DEPLOY_FREEZE``, and some CI files look at it. So a
person decides, and has to know. The rule is that of its ``Ci::FreezePeriod``: the last start is
later than the last end, and the next end comes before the next start.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

if TYPE_CHECKING:
    from hotfix.forge.types import FreezePeriod


class UnreadableFreezeError(ValueError):
    """A cron expression or a time zone that cannot be read here."""


def frozen_until(period: FreezePeriod, now: datetime) -> datetime | None:
    """Tell when a freeze ends that is in force now; ``None`` where it is not.

    Raises ``UnreadableFreezeError`` where that cannot be told.
    """
    try:
        there = now.astimezone(ZoneInfo(period.timezone))
        began, ended = (_last(cron, there) for cron in (period.start, period.end))
        begins, ends = (next(CronSim(cron, there)) for cron in (period.start, period.end))
    except (CronSimError, StopIteration, OSError, ValueError, KeyError) as error:
        raise UnreadableFreezeError(str(error)) from error
    return ends.astimezone(UTC) if ended < began and ends < begins else None


def _last(cron: str, moment: datetime) -> datetime:
    return next(CronSim(cron, moment, reverse=True))
