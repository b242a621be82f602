"""Approvals of a plan: what people wrote on GitLab, and which of it counts.

An approval is a comment that is one fixed sentence and nothing else, with the whole digest in it.
So it can neither be quoted nor be read out of other words, and the digest binds: another plan, be
it of the same spec, is approved by nobody yet. Who wrote it and when is GitLab's own word. A
comment that was changed after it was written does not count, since Maintainers may change what
others wrote and the author stays the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from hotfix.clock import timestamp
from hotfix.forge.types import Noteable
from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hotfix.forge.types import Account, Note, User
    from hotfix.plan.model import Plan
    from hotfix.spec.model import PlanApprovalPolicy

_SENTENCE: Final = re.compile(
    r"Approved: plan `(?P<digest>sha256:[0-9a-f]{64})` of hotfix `(?P<hotfix>[a-z0-9-]{1,63})`\."
)
_ONE_WRITE: Final = timedelta(seconds=1)
"""How far apart GitLab's two times of a comment may lie that nobody touched: it saves it twice."""


def sentence(plan: Plan) -> str:
    """Return what an approval of exactly this plan says, and all that it says."""
    return f"Approved: plan `{plan.digest}` of hotfix `{plan.hotfix}`."


def approved_digest(body: str, hotfix: str) -> str | None:
    """Tell which plan of a hotfix a comment approves; ``None`` where it says anything else."""
    found = _SENTENCE.fullmatch(body.strip())
    return found["digest"] if found and found["hotfix"] == hotfix else None


def places(plan: Plan, more: Iterable[Noteable] = ()) -> tuple[Noteable, ...]:
    """List where approvals of a plan are looked for, each once.

    Those that everybody knows by the plan come first: its merge requests, and an incident that
    exists already. ``more`` are others, such as the merge request of the spec.
    """
    own = (
        Noteable("merge_requests", ref.project, ref.iid)
        for target in plan.spec.targets
        for ref in target.merge_requests
    )
    incident = plan.spec.incident
    known = [Noteable("issues", incident.project, incident.iid)] if incident.iid else []
    return tuple(dict.fromkeys((*own, *known, *more)))


@dataclass(frozen=True, slots=True)
class Voice:
    """A comment that approves a plan of the hotfix, and what GitLab says of who wrote it."""

    note: Note
    on: Noteable
    url: str
    digest: str
    account: Account
    lacks: str | None
    """The membership that whoever wrote it has not; ``None`` where that is all right."""

    @property
    def by(self) -> User:
        """The one who wrote it."""
        return self.note.author

    @property
    def at(self) -> str:
        """When it was written."""
        return timestamp(self.note.created_at)


@dataclass(frozen=True, slots=True)
class Asked:
    """What approvals are held to."""

    policy: PlanApprovalPolicy
    digest: str
    """The plan's own."""
    authors: frozenset[int]
    applier: User | None
    """Known where somebody applies."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Who approved a plan, and what else was said that does not count."""

    asked: Asked
    counted: tuple[Voice, ...]
    """One for each person, the earliest first."""
    refused: tuple[tuple[Voice, str], ...]
    """Of people who are not counted, their last word and why it does not count."""
    unread: tuple[Noteable, ...]
    """Places that GitLab does not show."""

    @property
    def missing(self) -> int:
        """How many approvals are still wanted."""
        return max(0, self.asked.policy.minimum - len(self.counted))

    @property
    def void(self) -> int:
        """How many approve another plan."""
        return sum(voice.digest != self.asked.digest for voice, _ in self.refused)

    def verdict(self) -> str:
        """Say in a few words how far it is."""
        of = self.asked.policy.minimum
        void = f"; {self.void} of another plan {'is' if self.void == 1 else 'are'} void"
        return f"{len(self.counted)} of {of} approvals{void if self.void else ''}"


def tally(voices: Iterable[Voice], asked: Asked, unread: Sequence[Noteable] = ()) -> Tally:
    """Count each person once; raises nothing, since what does not count is told."""
    counted: dict[int, Voice] = {}
    refused: dict[int, tuple[Voice, str]] = {}
    for voice in sorted(voices, key=lambda each: (each.note.created_at, each.note.id)):
        why = _why_not(voice, asked)
        if why is None:
            counted.setdefault(voice.by.id, voice)
        else:
            refused[voice.by.id] = (voice, why)
    silent = (each for who, each in refused.items() if who not in counted)
    return Tally(asked, tuple(counted.values()), tuple(silent), tuple(unread))


def _why_not(voice: Voice, asked: Asked) -> str | None:
    note = voice.note
    if note.is_system or note.is_imported:
        return "made by GitLab or by an import, not written by this person here"
    if abs(note.updated_at - note.created_at) > _ONE_WRITE:
        return f"changed at {timestamp(note.updated_at)}, after it was written at {voice.at}"
    if voice.digest != asked.digest:
        return f"void, for it approves another plan, {voice.digest}"
    return why_not_heard(voice.account, voice.lacks, asked)


def why_not_heard(account: Account, lacks: str | None, asked: Asked) -> str | None:
    """Say why an approval by this account would not count; ``None`` where it would."""
    policy, who = asked.policy, account.user
    if account.is_bot or not account.is_active:
        return "no active account of a person"
    if policy.not_author and who.id in asked.authors:
        return "an author of the hotfix"
    if policy.not_applier and asked.applier is not None and who.id == asked.applier.id:
        return "the one who applies it"
    return lacks


def who_may(policy: PlanApprovalPolicy) -> str:
    """Say who may approve a plan."""
    who = "whoever has the role Developer or more in every target's project"
    if policy.groups:
        who = f"direct members of {' or '.join(one_line(group) for group in policy.groups)}"
    but = [
        *(["not an author of the hotfix"] if policy.not_author else ()),
        *(["not whoever applies it"] if policy.not_applier else ()),
    ]
    return who + (f" ({', '.join(but)})" if but else "")


def wanted(policy: PlanApprovalPolicy) -> str | None:
    """Say what approvals a plan wants; ``None`` where it wants none."""
    if policy.minimum == 0:
        return None
    count = "1 approval" if policy.minimum == 1 else f"{policy.minimum} approvals"
    return f"{count} of exactly this digest, by {who_may(policy)}"
