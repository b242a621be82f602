"""The last look at everything that is written: no token leaves, whatever went wrong before."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

TOKEN_VARIABLES: Final = ("HOTFIX_TOKEN", "GITLAB_TOKEN")
_SHORTEST: Final = 6  # less would tear ordinary words apart; GitLab's tokens are far longer
_secrets: set[str] = set()


def keep_secret(token: str) -> None:
    """Take a token out of every output from now on, also as it stands in a URL or a header."""
    if len(token) >= _SHORTEST:
        import base64  # noqa: PLC0415  (help and completion have no token)
        from urllib.parse import quote  # noqa: PLC0415  (as above)

        basic = base64.b64encode(f"oauth2:{token}".encode()).decode()
        _secrets.update((token, quote(token, safe=""), basic))


def keep_environment_secret() -> None:
    """Take the tokens of the environment out of every output, used or not."""
    for name in TOKEN_VARIABLES:
        keep_secret(os.environ.get(name, "").strip())


def redacted(text: str, *, but: Iterable[str] = ()) -> str:
    """Return the text without any token; ``but`` are the published ones of the sandbox."""
    for secret in sorted(_secrets - set(but), key=len, reverse=True):
        text = text.replace(secret, "[token]")
    return text
