"""Charts as SVG, drawn by pure functions: lines over an axis, and stacked bars.

They have no ground of their own, and only colours that can be read on white and on black.
"""

from __future__ import annotations

from html import escape
from itertools import pairwise
from math import ceil, floor, log10
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_COLOURS = ("#2f81f7", "#d9730d", "#2da44e", "#a371f7", "#e5534b", "#0e8a8a", "#b8860b", "#8b949e")
_TEXT = "#768390"
_GRID = "#76839055"
_WIDTH, _HEIGHT = 760, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 76, 190, 46, 54
_LINE = 17  # what a label needs in height
_BAR = 26


class Lines(NamedTuple):
    """A chart of lines; the axes are logarithmic where that is said."""

    title: str
    across: str
    up: str
    series: Mapping[str, Sequence[tuple[float, float]]]
    is_log: bool = True
    """Whether the axis across is logarithmic; the one upwards always is."""


class Bars(NamedTuple):
    """A chart of stacked bars, one below the other; ``goals`` are marked in them."""

    title: str
    across: str
    bars: Mapping[str, Mapping[str, float]]
    goals: Mapping[str, float]


def lines(chart: Lines) -> str:
    """Draw lines, each with its name at its end."""
    points = [point for series in chart.series.values() for point in series]
    across = _Scale([x for x, _ in points], _LEFT, _WIDTH - _RIGHT, is_log=chart.is_log)
    up = _Scale(_decades([y for _, y in points]), _HEIGHT - _BOTTOM, _TOP, is_log=True)
    parts = [*_head(chart.title, chart.across, chart.up, _HEIGHT)]
    for y in _log_ticks(up.low, up.high):
        parts.append(_rule(_LEFT, up.at(y), _WIDTH - _RIGHT, up.at(y)))
        parts.append(_text(_LEFT - 8, up.at(y) + 4, _number(y), anchor="end"))
    for x in sorted({x for x, _ in points}):
        parts.append(_rule(across.at(x), _TOP, across.at(x), _HEIGHT - _BOTTOM))
        parts.append(_text(across.at(x), _HEIGHT - _BOTTOM + 18, _number(x), anchor="middle"))
    ends = {name: up.at(series[-1][1]) for name, series in chart.series.items()}
    places = _apart(ends)
    for (name, series), colour in zip(chart.series.items(), _COLOURS, strict=False):
        placed = [(across.at(x), up.at(y)) for x, y in series]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2.2"/>'
        )
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.4" fill="{colour}"/>' for x, y in placed]
        end, place = placed[-1], places[name]
        parts.append(
            f'<path d="M{end[0] + 5:.1f} {end[1]:.1f}L{_WIDTH - _RIGHT + 14} {place:.1f}" '
            f'stroke="{colour}" stroke-opacity=".5" fill="none"/>'
        )
        parts.append(_text(_WIDTH - _RIGHT + 18, place + 4, name, colour=colour))
    return _svg(_HEIGHT, parts)


def bars(chart: Bars) -> str:
    """Draw stacked bars; what each part is stands in a legend above."""
    names = list(dict.fromkeys(name for parts in chart.bars.values() for name in parts))
    colours = dict(zip(names, _COLOURS * 2, strict=False))
    legend = list(_legend(colours))
    top = _TOP + _LINE * (1 + max((row for row, _, _ in legend), default=0)) + 16
    height = top + 2 * _BAR * len(chart.bars) + _BOTTOM
    totals = [sum(parts.values()) for parts in chart.bars.values()]
    across = _Scale([0, max([*totals, *chart.goals.values()]) * 1.04], 170, _WIDTH - 30)
    parts = [*_head(chart.title, chart.across, "", height)]
    for row, x, name in legend:
        y = _TOP + _LINE * row
        parts.append(f'<rect x="{x}" y="{y}" width="11" height="11" fill="{colours[name]}"/>')
        parts.append(_text(x + 16, y + 10, name))
    for x in _even_ticks(across.high):
        parts.append(_rule(across.at(x), top - 6, across.at(x), height - _BOTTOM))
        parts.append(_text(across.at(x), height - _BOTTOM + 18, _number(x), anchor="middle"))
    for number, (name, stack) in enumerate(chart.bars.items()):
        y = top + 2 * _BAR * number + _BAR / 4
        parts.append(_text(160, y + _BAR / 2 + 4, name, anchor="end"))
        before = 0.0
        for part, length in stack.items():
            left, right = across.at(before), across.at(before + length)
            parts.append(
                f'<rect x="{left:.1f}" y="{y}" width="{right - left:.1f}" height="{_BAR}" '
                f'fill="{colours[part]}"><title>{escape(part)}: {length:.3f}</title></rect>'
            )
            before += length
        parts.append(_text(across.at(before) + 6, y + _BAR / 2 + 4, f"{before:.2f}"))
        if goal := chart.goals.get(name):
            x = across.at(goal)
            parts.append(
                f'<path d="M{x:.1f} {y - 5}V{y + _BAR + 5}" stroke="{_TEXT}" stroke-width="2" '
                'stroke-dasharray="4 3"/>'
            )
            parts.append(_text(x, y + _BAR + 17, f"goal {goal:.2f}", anchor="middle"))
    return _svg(height, parts)


class _Scale:
    """Values to places."""

    def __init__(
        self, values: Sequence[float], first: float, last: float, *, is_log: bool = False
    ) -> None:
        self.low, self.high = min(values), max(values)
        self._first, self._last, self._is_log = first, last, is_log

    def at(self, value: float) -> float:
        low, high, value = (
            (log10(each) if self._is_log else each) for each in (self.low, self.high, value)
        )
        share = (value - low) / (high - low) if high > low else 0.5
        return self._first + share * (self._last - self._first)


def _decades(values: Sequence[float]) -> list[float]:
    """Widen a range to round numbers: 1, 2 or 5 times a power of ten."""
    low, high = min(values), max(values)
    below = [n for n in _round_numbers(low, high) if n <= low]
    above = [n for n in _round_numbers(low, high) if n >= high]
    return [max(below), min(above)]


def _log_ticks(low: float, high: float) -> Iterator[float]:
    numbers = [n for n in _round_numbers(low, high) if low <= n <= high]
    many = 7
    yield from (n for n in numbers if len(numbers) <= many or f"{n:e}".startswith("1"))


def _round_numbers(low: float, high: float) -> list[float]:
    powers = range(floor(log10(low)) - 1, ceil(log10(high)) + 2)
    return [float(f"{digit}e{power}") for power in powers for digit in (1, 2, 5)]


def _even_ticks(high: float) -> list[float]:
    step = next(n for n in _round_numbers(high / 100, high) if high / n <= 7)  # noqa: PLR2004
    return [step * count for count in range(int(high / step) + 1)]


def _apart(places: Mapping[str, float]) -> dict[str, float]:
    """Move labels off each other, in their order, as little as that takes."""
    ordered = sorted(places, key=places.__getitem__)
    moved = [places[name] for name in ordered]
    for _ in range(100):
        for number, (above, below) in enumerate(pairwise(moved)):
            if below - above < _LINE:
                middle = (above + below) / 2
                moved[number], moved[number + 1] = middle - _LINE / 2, middle + _LINE / 2
    lowest = _HEIGHT - _BOTTOM
    surplus = max(0.0, moved[-1] - lowest)
    return {name: place - surplus for name, place in zip(ordered, moved, strict=True)}


def _legend(names: Mapping[str, str]) -> Iterator[tuple[int, float, str]]:
    """Place names in rows, one after the other."""
    row, x = 0, 20.0
    for name in names:
        width = 30 + 7.2 * len(name)
        if x + width > _WIDTH - 10:
            row, x = row + 1, 20.0
        yield row, x, name
        x += width


def _head(title: str, across: str, up: str, height: float) -> Iterator[str]:
    yield (
        f'<text x="16" y="24" fill="{_TEXT}" font-size="15" font-weight="600">'
        f"{escape(title)}</text>"
    )
    yield _text((_LEFT + _WIDTH - _RIGHT) / 2, height - 14, across, anchor="middle")
    if up:
        middle = (_TOP + height - _BOTTOM) / 2
        yield (
            f'<text transform="translate(18 {middle}) rotate(-90)" fill="{_TEXT}" '
            f'text-anchor="middle">{escape(up)}</text>'
        )


def _text(
    x: float, y: float, text: str, *, anchor: str = "start", colour: str = _TEXT
) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}">{escape(text)}</text>'


def _rule(x: float, y: float, to_x: float, to_y: float) -> str:
    return f'<path d="M{x:.1f} {y:.1f}L{to_x:.1f} {to_y:.1f}" stroke="{_GRID}"/>'


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:g}"  # noqa: PLR2004


def _svg(height: float, parts: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:.0f}" '
        f'width="{_WIDTH}" height="{height:.0f}" font-family="system-ui, sans-serif" '
        'font-size="13">'
    )
    return "\n".join([head, *parts, "</svg>", ""])
