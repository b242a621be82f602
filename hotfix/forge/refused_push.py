"""What GitLab says when it refuses a push, made one sentence.

Git's protocol has two places for it: the report on the ref (``pre-receive hook declined``) and
what the server's programs print meanwhile, which git shows as ``remote: GitLab: ...``. The second
is what a person needs. Both are hostile text.
"""

from __future__ import annotations

from hotfix.forge.protocol import ForgeError
from hotfix.text import one_line

_MARK = "GitLab:"
_LIMIT = 600
_OK = 200


def refusal(ref: str, reason: str, said: bytes) -> ForgeError:
    """Return the error for a ref that the server did not move."""
    words = _words(said)
    sentence = f"{words} ({one_line(reason)})" if words else one_line(reason)
    return ForgeError(
        f"GitLab refused the push to {one_line(ref)}: {sentence}",
        status=_OK,
        code="push-refused",
        hint="Nothing was changed. `hotfix doctor` shows what the token may push.",
    )


def is_of_a_hook(reason: str) -> bool:
    """Tell whether GitLab's own rules refused; any other reason may be a ref that moved."""
    return "hook declined" in reason


def unpacking_failed(what: str, said: str) -> ForgeError:
    """Return the error for objects that the server could not take in; no ref was touched."""
    return ForgeError(
        f"GitLab could not unpack {one_line(what)}: {one_line(said)}",
        status=_OK,
        code="push-refused",
        hint="Nothing was changed. Run the command again; it fetches anew.",
    )


def _words(said: bytes) -> str:
    """Return the lines that GitLab marks as its own, or all where there are none."""
    lines = [line.strip() for line in said.decode("utf-8", "replace").splitlines()]
    own = [line.removeprefix(_MARK).strip() for line in lines if line.startswith(_MARK)]
    return one_line(" ".join(filter(None, own or lines)), _LIMIT)
