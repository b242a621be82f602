"""Pkt-lines: Git's framing, four hex digits of length before each line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

FLUSH: Final = b"0000"
DELIMITER: Final = b"0001"
_SIDE_BAND_PAYLOAD: Final = 65_515
DATA, PROGRESS, FATAL = 1, 2, 3


class ProtocolError(Exception):
    """What the client sent is not Git's protocol."""


def packet(line: str | bytes) -> bytes:
    """Frame one line."""
    data = line.encode() if isinstance(line, str) else line
    return f"{len(data) + 4:04x}".encode() + data


def banded(band: int, data: bytes) -> Iterator[bytes]:
    """Frame data for one side band, in as many packets as it needs."""
    for start in range(0, len(data), _SIDE_BAND_PAYLOAD):
        yield packet(bytes([band]) + data[start : start + _SIDE_BAND_PAYLOAD])


class Reader:
    """Reads packets, and whatever follows them."""

    def __init__(self, data: bytes) -> None:
        """Read from the beginning of a request's body."""
        self._data = data
        self._position = 0

    @property
    def ended(self) -> bool:
        """Whether the body is used up."""
        return self._position >= len(self._data)

    def next(self) -> bytes | None:
        """Return the next line without its newline, ``None`` for a flush, delimiter or the end.

        Raises ``ProtocolError``.
        """
        if self.ended:
            return None
        digits = self._take(len(FLUSH))
        try:
            length = int(digits, 16)
        except ValueError:
            raise ProtocolError(f"not a packet's length: {digits!r}") from None
        if length < len(FLUSH):
            return None
        return self._take(length - len(FLUSH)).removesuffix(b"\n")

    def section(self) -> list[bytes]:
        """Return the lines up to the next flush or delimiter."""
        lines = []
        while (line := self.next()) is not None:
            lines.append(line)
        return lines

    def rest(self) -> bytes:
        """Return what follows the packets."""
        return self._data[self._position :]

    def _take(self, size: int) -> bytes:
        start, self._position = self._position, self._position + size
        return self._data[start : self._position]
