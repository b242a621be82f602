"""Which refs a client sees, and how they are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hotfix.identifiers import ZERO, Sha
from hotfix.sandbox.smart_http.packets import FLUSH, packet

if TYPE_CHECKING:
    from hotfix.sandbox.repositories import Repository

HIDDEN: Final = ("refs/keep-around/", "refs/remotes/", "refs/tmp/")
"""Neither listed nor writable (Gitaly's ``reference.go``)."""
READ_ONLY: Final = ("refs/environments/", "refs/merge-requests/", "refs/pipelines/")
"""Listed, not writable."""
AGENT: Final = "agent=gitlab-sandbox"


def visible(repository: Repository) -> dict[str, Sha]:
    """Return the refs that are listed, sorted by name."""
    return {
        name: sha for name, sha in sorted(repository.refs.items()) if not name.startswith(HIDDEN)
    }


def advertisement(repository: Repository, service: str, capabilities: list[str]) -> bytes:
    """Write the list of refs of protocol 0, capabilities on its first line."""
    lines = []
    head = repository.branch(repository.default_branch)
    if head is not None and service == "git-upload-pack":
        lines.append((head, "HEAD"))
        capabilities = [*capabilities, f"symref=HEAD:refs/heads/{repository.default_branch}"]
    for name, sha in visible(repository).items():
        lines.append((sha, name))
        peeled = repository.peeled(sha)
        if peeled not in (sha, None) and service == "git-upload-pack":
            lines.append((peeled or sha, f"{name}^{{}}"))
    if not lines:
        lines = [(ZERO, "capabilities^{}")]
    words = " ".join([*capabilities, "object-format=sha1", AGENT])
    first = f"{lines[0][0]} {lines[0][1]}\0{words}\n"
    rest = [f"{sha} {name}\n" for sha, name in lines[1:]]
    greeting = packet(f"# service={service}\n") + FLUSH
    return greeting + b"".join(packet(line) for line in [first, *rest]) + FLUSH


def listing(repository: Repository, arguments: list[str]) -> bytes:
    """Answer ``ls-refs`` of protocol 2."""
    prefixes = tuple(a.removeprefix("ref-prefix ") for a in arguments if a.startswith("ref-prefix"))
    head = repository.branch(repository.default_branch)
    lines = []
    if head is not None:
        target = f" symref-target:refs/heads/{repository.default_branch}"
        lines.append(("HEAD", f"{head} HEAD{target if 'symrefs' in arguments else ''}"))
    for name, sha in visible(repository).items():
        peeled = repository.peeled(sha)
        suffix = f" peeled:{peeled}" if "peel" in arguments and peeled not in (sha, None) else ""
        lines.append((name, f"{sha} {name}{suffix}"))
    wanted = [line for name, line in lines if not prefixes or name.startswith(prefixes)]
    return b"".join(packet(f"{line}\n") for line in wanted) + FLUSH
