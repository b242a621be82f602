"""A chart of lines on logarithmic axes, as SVG.

It has no ground of its own, and only colours that can be read on white and on black.
"""

from __future__ import annotations

from html import escape
from itertools import product
from math import log10
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_COLOURS = ("#2f81f7", "#d9730d", "#2da44e", "#a371f7", "#e5534b", "#0e8a8a", "#b8860b", "#8b949e")
_GREY = "#768390"
_WIDTH, _HEIGHT = 760, 380
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 540, 46, 330
_LINE = 17  # what a name needs in height


def drawn(title: str, across: str, series: Mapping[str, Mapping[float, float]]) -> str:
    """Draw each series with its name at its end."""
    xs = sorted({x for points in series.values() for x in points})
    ys = _ticks([y for points in series.values() for y in points.values()])
    x_at, y_at = _Scale(xs, _LEFT, _RIGHT), _Scale(ys, _BOTTOM, _TOP)
    parts = [_text(16, 24, title, "start"), _text((_LEFT + _RIGHT) / 2, 370, across, "middle")]
    for y in ys:
        parts += [_rule(_LEFT, y_at(y), _RIGHT, y_at(y)), _text(62, y_at(y) + 4, f"{y:,g}", "end")]
    for x in xs:
        parts += [_rule(x_at(x), _TOP, x_at(x), _BOTTOM)]
        parts += [_text(x_at(x), _BOTTOM + 18, f"{x:,.0f}", "middle")]
    ends = {name: y_at(points[max(points)]) for name, points in series.items()}
    places = _apart(ends)
    for (name, points), colour in zip(series.items(), _COLOURS, strict=False):
        placed = [(x_at(x), y_at(y)) for x, y in sorted(points.items())]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in [*placed, (_RIGHT + 14, places[name])])
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in placed]
        parts.append(_text(_RIGHT + 18, places[name] + 4, name, "start", colour))
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'width="{_WIDTH}" height="{_HEIGHT}" font-family="system-ui, sans-serif" font-size="13">'
    )
    return "\n".join([head, *parts, "</svg>\n"])


class _Scale:
    """Values to places, by their logarithm."""

    def __init__(self, values: Collection[float], first: float, last: float) -> None:
        self._low, self._high = log10(min(values)), log10(max(values))
        self._first, self._length = first, last - first

    def __call__(self, value: float) -> float:
        share = (log10(value) - self._low) / (self._high - self._low)
        return self._first + share * self._length


def _ticks(values: Collection[float]) -> list[float]:
    """Give powers of ten, with their halves and fifths, around values."""
    numbers = [float(f"{digit}e{power}") for power, digit in product(range(-6, 7), (1, 2, 5))]
    low = max(number for number in numbers if number <= min(values))
    high = min(number for number in numbers if number >= max(values))
    return [number for number in numbers if low <= number <= high]


def _apart(ends: Mapping[str, float]) -> Mapping[str, float]:
    """Move names that lie on each other apart, downwards and if need be up again."""
    places: dict[str, float] = {}
    below = 0.0
    for name, end in sorted(ends.items(), key=lambda item: item[1]):
        below = places[name] = max(end, below + _LINE)
    over = max(0.0, below - _BOTTOM)
    return {name: place - over for name, place in places.items()}


def _text(x: float, y: float, text: str, anchor: str, colour: str = _GREY) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}"'
    return f"<text {place}>{escape(text)}</text>"


def _rule(x: float, y: float, to_x: float, to_y: float) -> str:
    path = f"M{x:.1f} {y:.1f}L{to_x:.1f} {to_y:.1f}"
    return f'<path d="{path}" stroke="{_GREY}" stroke-opacity=".3"/>'
