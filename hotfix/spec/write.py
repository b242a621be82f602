"""A new spec as text: what is known filled in, and a comment where a person has to think.

Every value that others wrote is put into double quotes, which hold in YAML what they hold in JSON,
and every comment is one line: a title opens no key, no document and no second comment.
"""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hotfix.spec.secrets import mask
from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ID_LENGTH = 63
_TITLE_LENGTH = 200


@dataclass(frozen=True, slots=True)
class NewMergeRequest:
    """A merge request of a new spec, with what a reader wants to know of it."""

    iid: int
    title: str
    state: str


@dataclass(frozen=True, slots=True)
class NewTarget:
    """A repository of a new spec."""

    project: str
    production_sha: str
    seen_at: str
    merge_requests: tuple[NewMergeRequest, ...]


def proposed_id(first: NewMergeRequest) -> str:
    """Propose a hotfix's id by its first merge request: ``mr-812-keep-ocpp-connections``."""
    words = re.sub(r"^\w+(\([^)]*\))?!?:", "", first.title)
    plain = unicodedata.normalize("NFKD", mask(words)).encode("ascii", "ignore").decode().lower()
    proposal = f"mr-{first.iid}"
    for word in re.findall(r"[a-z0-9]+", plain):
        if len(proposal) + len(word) >= _ID_LENGTH:
            break
        proposal += f"-{word}"
    return proposal


def proposed_title(first: NewMergeRequest) -> str:
    """Propose a hotfix's title: its first merge request's, without what looks like a secret."""
    return one_line(mask(first.title), _TITLE_LENGTH) or f"Merge request !{first.iid}"


def spec_text(
    name: str,
    title: str,
    targets: Sequence[NewTarget],
    *,
    gitlab: str | None,
    orchestration: str | None,
) -> str:
    """Write a spec; ``gitlab`` and ``orchestration`` are what no defaults say."""
    return "\n".join(_lines(name, title, targets, gitlab, orchestration)) + "\n"


def _lines(
    name: str,
    title: str,
    targets: Sequence[NewTarget],
    gitlab: str | None,
    orchestration: str | None,
) -> Iterator[str]:
    yield "# What this hotfix shall bring. Review it, then: hotfix plan"
    yield "# Every key is explained by `hotfix schema spec`."
    yield "version: 1"
    yield "# Proposed from the merge request. The id names a folder, a ref and a trailer, for good:"
    yield "# with an incident at hand, rather `inc-<number>-<what>`. The title is the incident's."
    yield f"id: {name}"
    yield f"title: {_quoted(title)}"
    if gitlab:
        yield f"gitlab: {_quoted(gitlab)}"
    if orchestration:
        yield "# Where the guided pipeline runs; a team sets it once, in defaults.yaml."
        yield f"orchestration: {{project: {_quoted(orchestration)}}}"
    if len(targets) == 1:
        yield from _target(targets[0])
        return
    yield "# In the order in which they are released; `after: [group/project]` makes one wait."
    yield "targets:"
    for target in targets:
        first, *rest = _target(target)
        yield f"  - {first}"
        yield from (f"    {line}" for line in rest)


def _target(target: NewTarget) -> Iterator[str]:
    yield f"project: {_quoted(target.project)}"
    yield f"# All sources that answered agreed on it at {target.seen_at}. Look at Operate >"
    yield "# Environments yourself: this is what release is restored to."
    yield f"production_sha: {target.production_sha}"
    yield "# In the order in which they are picked."
    yield "merge_requests:"
    for each in target.merge_requests:
        state = "" if each.state == "merged" else f" ({one_line(each.state, 20)}, NOT MERGED YET)"
        yield f"  - {each.iid}  # {one_line(mask(each.title), 100)}{state}"
    yield "# Replace it by what tells that this service is well, such as:"
    yield "#   - name: health"
    yield '#     http: {url: "https://app.example.com/health", status: 200, json: {status: ok}}'
    yield "# Until then a person is asked, and the answer is recorded."
    yield "smoke_checks:"
    yield "  - name: looked at by a person"
    question = f"Is {target.project} well, and is what the hotfix mends gone?"
    yield f"    manual: {{question: {_quoted(question)}}}"
    yield "# Where the running service says which commit it is, if it does:"
    yield '# production_version: {url: "https://app.example.com/version", json: git.sha}'


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
