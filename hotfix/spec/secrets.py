"""What looks like a secret, and how it is covered before a line is shown.

A spec is reviewed, committed and copied into the lockfile: a secret in it is lost to everybody who
can read. So one is refused wherever it stands, and no message shows it.
"""

from __future__ import annotations

import re

_NAMES = (
    r"(?:proxy-)?authorization|private[-_]token|job[-_]token|deploy[-_]token"
    r"|x-api-key|api[-_]?key|x-auth-token|access[-_]token|x-gitlab-token|x-vault-token"
)
TELLING = r"cookie|authorization|token|secret|passw|credential|session|api-?key|signature"

_SECRET = re.compile(
    rf"""
      \bgl(?:pat|oas|dt|rt|rtr|cbt|ptt|ft|imt|agent|wt|soat|ffct)-\w[\w.=-]*   # GitLab's prefixes
    | \bgh[opsur]_\w+ | \bgithub_pat_\w+ | \bxox[abeprs]-[\w-]+                # other services'
    | \bAKIA[0-9A-Z]{{12,}} | \bsk-[A-Za-z0-9_-]{{20,}}
    | \beyJ[\w-]{{8,400}}\.[\w-]+\.[\w-]*                                         # JSON Web Token
    | -----BEGIN\s[A-Z\s]*PRIVATE\sKEY-----.*
    | \b(?:bearer|basic)\s+(?=\S*[0-9=])[A-Za-z0-9+/=_.~-]{{12,}}
    | (?<=://)[^/\s:@"']*:[^/\s@"']+(?=@)                                      # user:password@
    | (?<![\w-])(?:{_NAMES}|(?:set-)?cookie(?=["']?:\s*[\w.-]+=))["']?\s*[:=]\s*(?P<value>\S.*)
    | (?<=[?&])(?:{_NAMES}|token|password|secret|sig|signature)=(?P<query>[^&\s"']+)
    """,
    re.IGNORECASE | re.VERBOSE,
)
_NAME = re.compile(_NAMES, re.IGNORECASE)
_HEADER = re.compile(rf".*(?:{TELLING}).*", re.IGNORECASE)
_TELLING_KEY = re.compile(
    rf"""(?:{TELLING})[\w-]{{0,40}}["']?\s*:\s*(?P<value>\S.*)(?P<query>)""", re.IGNORECASE
)


def is_secret(text: str) -> bool:
    """Tell whether a text holds a token, a header that carries one, or a URL with a password."""
    return _SECRET.search(text) is not None


def is_credential_name(name: str) -> bool:
    """Tell whether a key by this name can only stand before a credential."""
    return _NAME.fullmatch(name.strip()) is not None


def is_credential_header(name: str) -> bool:
    """Tell whether a request header by this name would carry a credential."""
    return _HEADER.fullmatch(name.strip()) is not None


def mask(text: str) -> str:
    """Cover every secret in a text with as many ``*``, so that columns stay where they are."""
    return _SECRET.sub(_covered, text)


def mask_line(line: str) -> str:
    """Cover also what stands behind a telling key, such as ``token:``, in a line of a file."""
    return _TELLING_KEY.sub(_covered, mask(line))


def _covered(match: re.Match[str]) -> str:
    for group in ("value", "query"):
        if match[group]:
            start = match.start(group) - match.start()
            end = match.end(group) - match.start()
            return match[0][:start] + "*" * (end - start) + match[0][end:]
    return "*" * len(match[0])
