"""Canonical JSON (RFC 8785) and the digests made over it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import rfc8785

if TYPE_CHECKING:
    from collections.abc import Mapping


def canonical(value: Any) -> bytes:  # noqa: ANN401  (any JSON value)
    """Return the one byte string that RFC 8785 gives for a JSON value.

    Raises ``rfc8785.CanonicalizationError`` for what JSON cannot say, such as an integer beyond
    2**53 or a lone surrogate.
    """
    return rfc8785.dumps(value)


def digest(value: Any) -> str:  # noqa: ANN401  (any JSON value)
    """Return ``sha256:`` and 64 hex digits over the canonical JSON of a value."""
    return "sha256:" + hashlib.sha256(canonical(value)).hexdigest()


def without(document: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    """Return the document less some top-level keys, for a digest that does not cover them."""
    return {key: value for key, value in document.items() if key not in keys}
