"""The transcript of a rehearsal: what went wrong, how each run ended, and what then was proven."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hotfix.canonical import canonical, digest
from hotfix.evidence.model import Digest, Moment
from hotfix.models import Frozen, to_json

Verdict = Literal["converged", "failed"]


class Struck(Frozen):
    """A fault that happened, and to which request."""

    fault: str
    request: str


class RehearsedRun(Frozen):
    """One `hotfix apply` of the rehearsal, from its start to its end."""

    ended: Literal["complete", "interrupted", "defect"]
    code: str = Field(description="The code of the error that ended it; `complete` without one.")
    message: str
    struck: tuple[Struck, ...]
    mended: bool = Field(
        description="Whether something that lasts was mended after it: a token was renewed, what "
        "had vanished came back."
    )


class Proof(Frozen):
    """What was looked at in the embedded GitLab at the end, and whether it is as planned."""

    what: str = Field(description="A fixed name, such as `pipeline-once`.")
    target: str | None
    outcome: Literal["passed", "failed"]
    detail: str


class Rehearsal(Frozen):
    """The plan carried out once on an embedded GitLab of its own, until it converged or did not."""

    name: str = Field(description="Of the fault, `seed N` of a random schedule, or `no faults`.")
    faults: tuple[str, ...]
    runs: tuple[RehearsedRun, ...]
    proofs: tuple[Proof, ...]
    verdict: Verdict


class Transcript(Frozen):
    """All rehearsals of one plan that were asked for at a time."""

    format: Literal["rehearsal/1"]
    hotfix: str
    plan_digest: Digest
    gitlab: str = Field(description="Of the plan: where it was observed, and nothing was changed.")
    tool_version: str
    by: str
    at: Moment
    verdict: Verdict
    not_rehearsed: tuple[str, ...] = Field(
        description="What the embedded GitLab stands in for, in sentences."
    )
    rehearsals: tuple[Rehearsal, ...] = Field(min_length=1)


def serialize(transcript: Transcript) -> bytes:
    """Write a transcript for a file: canonical JSON, the bytes that its digest is over."""
    return canonical(to_json(transcript))


def digest_of(transcript: Transcript) -> str:
    """Digest a transcript as a plan names it."""
    return digest(to_json(transcript))


def parse(data: bytes, source: str) -> Transcript:
    """Read a transcript back; raises ``InputError`` for what is none."""
    from hotfix.schema import read_json  # noqa: PLC0415  (jsonschema loads slowly)

    read_json(data, "rehearsal", source)
    return Transcript.model_validate_json(data)
