"""The approvals that a plan's policy asks for: looked up on GitLab, held to, and recorded.

What counts is what GitLab says now. It is asked twice: before anybody is asked anything, and again
under the lock, just before the first effect. The record then says who approved, when and where.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from hotfix.apply import policy
from hotfix.errors import FailedError, WaitingError
from hotfix.evidence.model import Approval
from hotfix.evidence.plan_approvals import plan_approval, plan_approvals, way_back_approval
from hotfix.forge.protocol import NotFoundError, UnknownOutcomeError
from hotfix.forge.types import DEVELOPER
from hotfix.parallel import in_parallel
from hotfix.plan.approvals import (
    Asked,
    Voice,
    approved_digest,
    places,
    sentence,
    tally,
    who_may,
    why_not_heard,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pydantic import JsonValue

    from hotfix.apply.context import Request, Run
    from hotfix.evidence.model import Lock
    from hotfix.forge.protocol import Forge
    from hotfix.forge.types import Note, Noteable, User
    from hotfix.plan.approvals import Tally
    from hotfix.plan.model import Plan


def look(
    plan: Plan,
    forge: Forge,
    more: Iterable[Noteable] = (),
    *,
    applier: User | None = None,
) -> Tally:
    """Ask GitLab who approved a plan. Reads only.

    ``more`` are places beside those that the plan itself tells.
    """
    pages = in_parallel(partial(_read, forge, on) for on in places(plan, more))
    found = [page for page in pages if isinstance(page, _Page)]
    asked = Asked(
        policy=plan.spec.policy.plan_approvals,
        digest=plan.digest,
        authors=frozenset(page.author.id for page in found if page.author is not None),
        applier=applier,
    )
    said = [
        (page, note, digest)
        for page in found
        for note in page.notes
        if (digest := approved_digest(note.body, plan.hotfix)) is not None
    ]
    voices = in_parallel(partial(_voice, plan, forge, *each) for each in said)
    return tally(voices, asked, [page for page in pages if not isinstance(page, _Page)])


def refuse_unheard(plan: Plan, forge: Forge, asked: Asked) -> str | None:
    """Tell why an approval by the token's own user would not count; ``None`` where it would."""
    me = forge.current_user()
    return why_not_heard(forge.account(me.id), _lacks(plan, forge, me), asked)


def write(plan: Plan, forge: Forge, on: Noteable) -> Note:
    """Approve a plan by a comment. Whoever calls has looked that none of this user's is there.

    After a lost answer it is looked again. Raises ``UnknownOutcomeError`` where it is not there
    either, and ``FailedError`` where GitLab kept something else than was sent.
    """
    said = sentence(plan)
    try:
        note = forge.add_note(on, said)
    except UnknownOutcomeError:
        me = forge.current_user()
        own = [each for each in forge.notes(on) if (each.author.id, each.body) == (me.id, said)]
        if not own:
            raise
        note = own[-1]
    if approved_digest(note.body, plan.hotfix) != plan.digest:
        raise FailedError(
            "approval-not-kept",
            f"GitLab kept another text on {on} than the approval that was sent.",
            hint="Look at the comment there; it does not count as it stands.",
        )
    return note


def require(
    request: Request, plan: Plan, seen: Plan, forge: Forge, lock: Lock | None
) -> Tally | None:
    """Refuse to carry out what is not approved as the policy asks; ``None`` where it asks nothing.

    ``seen`` is the plan as it was made just now, ``lock`` the record of what was done so far. Once
    production runs the plan, whoever comes may check it and write it down. The way back that was
    approved with its hotfix needs no other approval. Behind broken glass what is missing
    is not refused. Raises ``WaitingError`` with who may give what is missing.
    """
    if plan.spec.policy.plan_approvals.minimum == 0 or _is_in_production(lock):
        return None
    if _given_with_hotfix(request, seen):
        return None
    found = look(plan, forge, request.places, applier=forge.current_user())
    if found.missing and not policy.is_glass_broken(request, lock):
        raise WaitingError(
            "approvals-missing",
            f"Plan {plan.digest} has {found.verdict()}; nothing {_further(request)}was changed.",
            hint="\n".join(_hints(request, found)),
        )
    return found


def record(run: Run, seen: Plan) -> None:
    """Look again, now under the lock, and write each approval down with where it stands."""
    found = require(run.request, run.plan, seen, run.forge, run.journal.lock)
    for voice in found.counted if found else ():
        what = plan_approval(voice.digest)
        given = Approval(by=voice.by.username, at=voice.at, what=what, source=voice.url)
        _write_down(run, given, {"on": str(voice.on), "note": voice.note.id})
    if found is not None:
        by = ", ".join(voice.by.username for voice in found.counted)
        run.tell("preflight", None, "done", f"{found.verdict()} of this plan: {by}")
    back = run.request.back
    for given in _given_with_hotfix(run.request, seen):
        _write_down(run, way_back_approval(given), {"record": back.lockfile.name if back else None})


def _write_down(run: Run, given: Approval, where: Mapping[str, JsonValue]) -> None:
    """Add an entry for an approval, unless an earlier run did."""
    if any((each.by, each.what) == (given.by, given.what) for each in run.journal.lock.approvals):
        return
    facts = {"approved_by": given.by, "approved_at": given.at, "approval": given.what}
    run.journal.add(
        "preflight", None, "observed", {**facts, "url": given.source, **where}, approval=given
    )


def _given_with_hotfix(request: Request, seen: Plan) -> tuple[Approval, ...]:
    """List the approvals of the hotfix, whose record has enough, where this is its very way back.

    They were held when the hotfix was applied. Whoever goes back in the night is not kept from it
    because somebody touched a comment since.
    """
    if request.back is None or seen.observed.approved is None:
        return ()
    found = plan_approvals(request.back.hotfix)
    minimum = seen.spec.policy.plan_approvals.minimum
    return found if len({each.by for each in found}) >= minimum > 0 else ()


def told(found: Tally) -> Sequence[str]:
    """Say of each approval that does not count why, and which places could not be read."""
    return [
        *(f"{voice.by.username} on {voice.on}: {why}. {voice.url}" for voice, why in found.refused),
        *(f"{on} is not there, or this token may not see it." for on in found.unread),
    ]


class _Page(NamedTuple):
    """Something with comments, and who wrote it where that is one of the hotfix's authors."""

    on: Noteable
    url: str
    author: User | None
    notes: tuple[Note, ...]


def _read(forge: Forge, on: Noteable) -> _Page | Noteable:
    try:
        notes = forge.notes(on)
        if on.kind == "issues":
            return _Page(on, forge.issue(on.project, on.iid).web_url, None, notes)
        found = forge.merge_request(on.project, on.iid)
    except NotFoundError:
        return on
    return _Page(on, found.web_url, found.author, notes)


def _voice(plan: Plan, forge: Forge, page: _Page, note: Note, digest: str) -> Voice:
    return Voice(
        note=note,
        on=page.on,
        url=f"{page.url}#note_{note.id}",
        digest=digest,
        account=forge.account(note.author.id),
        lacks=_lacks(plan, forge, note.author),
    )


def _lacks(plan: Plan, forge: Forge, who: User) -> str | None:
    """Tell which membership somebody would need to be heard."""
    groups = plan.spec.policy.plan_approvals.groups
    if groups:
        if any(forge.is_direct_member(group, who.id) for group in groups):
            return None
        return f"no direct member of {' or '.join(groups)}, as far as this token sees"
    for target in plan.spec.targets:
        if (forge.role(target.project, who.id) or 0) < DEVELOPER:
            return f"no Developer in {target.project}"
    return None


def _is_in_production(lock: Lock | None) -> bool:
    checks = lock.checks if lock else ()
    seen = [each.outcome for each in checks if each.id == "production-reflects-hotfix"]
    return set(seen) == {"passed"}


def _further(request: Request) -> str:
    return "further " if request.lockfile.exists() else ""


def _hints(request: Request, found: Tally) -> list[str]:
    return [
        f"Still wanted: {found.missing}, by {who_may(found.asked.policy)}. Each types:",
        *request.approve_commands,
        *told(found),
        *filter(None, [policy.way_past(request)]),
        f"Then go on with: {request.command}",
    ]
