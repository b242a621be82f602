"""Text as lines, the way Git splits it."""

from __future__ import annotations

from io import BytesIO

_LOOKED_AT = 8000  # bytes; FIRST_FEW_BYTES in Git's xdiff-interface.c


def is_binary(data: bytes) -> bool:
    """Tell whether Git takes these bytes for binary: a NUL among the first 8,000."""
    return b"\0" in data[:_LOOKED_AT]


class Interner:
    """Splits texts that are going to be compared, one object for every distinct line.

    Only a line feed ends a line and belongs to it; a lone carriage return is a character like
    any other. With one object for each distinct line most comparisons end at identity.
    """

    def __init__(self) -> None:
        self._known: dict[bytes, bytes] = {}

    def split(self, data: bytes) -> list[bytes]:
        """Return the lines with their line feeds; the last may lack its own."""
        lines = BytesIO(data).readlines()
        return list(map(self._known.setdefault, lines, lines))
