"""How GitLab is reached: its address, and the token for it (contract, section 6)."""

from __future__ import annotations

import configparser
import os
from pathlib import Path
from typing import TYPE_CHECKING

from hotfix.cli.redaction import TOKEN_VARIABLES, keep_secret
from hotfix.errors import InputError
from hotfix.spec.gitlab_url import normalized

if TYPE_CHECKING:
    from hotfix.forge.protocol import Forge, Telling


def environment_gitlab() -> str | None:
    """Return the address that the environment names, for where no file and no option names one."""
    return os.environ.get("HOTFIX_GITLAB_URL") or os.environ.get("CI_SERVER_URL") or None


def connect(
    gitlab: str | None, *, use_cache: bool = False, telling: Telling | None = None
) -> Forge:
    """Open GitLab's API with the token that belongs to it; raises ``InputError`` without one."""
    if gitlab is None:
        raise InputError(
            "no-gitlab",
            "Nobody says which GitLab it is.",
            hint="Give `--gitlab URL`, write `gitlab: URL` into defaults.yaml, or set "
            "HOTFIX_GITLAB_URL.",
        )
    url = normalized(gitlab)
    token = _token(url)
    keep_secret(token)
    from hotfix.forge.gitlab import GitLabForge  # noqa: PLC0415  (loads slowly; refuse first)

    return GitLabForge(url, token, cache=_cache_folder() if use_cache else None, telling=telling)


def _cache_folder() -> Path:
    """Return where the user's caches are (XDG Base Directory Specification)."""
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (named if named.is_absolute() else Path("~/.cache").expanduser()) / "hotfix"


def _token(url: str) -> str:
    for name in TOKEN_VARIABLES:
        if token := os.environ.get(name, "").strip():
            return token
    if configured := _configured_token(url):
        return configured
    raise InputError(
        "no-token",
        f"There is no token for {url}.",
        hint="Set HOTFIX_TOKEN to a token with scope `api`; for `plan` alone, `read_api` and "
        "`read_repository` do.",
    )


def _configured_token(url: str) -> str | None:
    """Look into python-gitlab's configuration file for the section of this address.

    Its section is taken by address, never by name: a token goes to no other host.
    """
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read(_configuration_files(), encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError) as error:
        raise InputError(
            "invalid-configuration",
            "python-gitlab's configuration file cannot be read: "
            + str(error).splitlines()[0].partition(":")[0],
            hint="Correct it, or set HOTFIX_TOKEN.",
        ) from None
    for name in parser.sections():
        section = parser[name]
        if _same(section.get("url", ""), url) and (token := section.get("private_token")):
            return _plain(token.strip(), name)
    return None


def _configuration_files() -> list[Path]:
    """List where python-gitlab looks (its documentation, "Configuration files")."""
    named = os.environ.get("PYTHON_GITLAB_CFG")
    if named:
        return [Path(named)]
    return [Path("/etc/python-gitlab.cfg"), Path("~/.python-gitlab.cfg").expanduser()]


def _same(configured: str, url: str) -> bool:
    try:
        return normalized(configured.strip()) == url
    except InputError:
        return False


def _plain(token: str, section: str) -> str:
    if token.startswith("helper:"):
        raise InputError(
            "token-helper",
            f"Section [{section}] of python-gitlab's configuration names a helper program, which "
            "hotfix does not run.",
            hint='Run it yourself: HOTFIX_TOKEN="$(the helper)" hotfix ...',
        )
    return token
