"""Deploy freezes, by GitLab's own rule and in the period's own time zone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hotfix.freeze import FreezePeriod, UnreadableFreezeError, frozen_until

WEEKEND = FreezePeriod("0 23 * * 5", "0 8 * * 1", "UTC")


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """Name a moment of November 2026; the 20th is a Friday."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (at(20, 22, 59), None),
        (at(20, 23, 1), at(23, 8)),
        (at(22, 12), at(23, 8)),
        (at(23, 7, 59), at(23, 8)),
        (at(23, 8, 1), None),
        (at(25, 12), None),
    ],
)
def test_a_weekend_is_frozen_from_friday_night_to_monday_morning(
    now: datetime, until: datetime | None
) -> None:
    assert frozen_until(WEEKEND, now) == until


def test_the_hours_are_those_of_the_periods_own_zone() -> None:
    there = FreezePeriod("0 23 * * 5", "0 8 * * 1", "Australia/Melbourne")

    assert frozen_until(there, at(20, 11, 59)) is None, "22:59 in Melbourne"
    assert frozen_until(there, at(20, 12, 1)) == at(22, 21)
    assert frozen_until(there, at(22, 21, 1)) is None


def test_days_of_a_year_are_read_too() -> None:
    holidays = FreezePeriod("0 0 20 12 *", "0 0 2 1 *", "UTC")

    assert frozen_until(holidays, at(22, 12)) is None
    assert frozen_until(holidays, datetime(2026, 12, 24, tzinfo=UTC)) == datetime(
        2027, 1, 2, tzinfo=UTC
    )


@pytest.mark.parametrize(
    "period",
    [
        FreezePeriod("every night", "0 8 * * 1", "UTC"),
        FreezePeriod("0 23 * * 5", "0 8 31 2 *", "UTC"),
        FreezePeriod("0 23 * * 5", "0 8 * * 1", "Eastern Time (US & Canada)"),
        FreezePeriod("0 23 * * 5", "0 8 * * 1", "../../etc/passwd"),
    ],
)
def test_what_cannot_be_read_is_not_taken_for_no_freeze(period: FreezePeriod) -> None:
    with pytest.raises(UnreadableFreezeError):
        frozen_until(period, at(22, 12))
