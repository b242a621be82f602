"""What a project's push rules would refuse of the planned commits."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final

from hotfix.doctor.model import Check
from hotfix.identifiers import short
from hotfix.text import counted, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hotfix.forge.types import Project, PushRule, Server, User
    from hotfix.plan.model import PlannedCommit
    from hotfix.spec.model import Committer, Target

_SIGNED_OFF: Final = re.compile(r"Signed-off-by:.+<.+@.+>")
_REPEATS: Final = re.compile(r"[*+{]")
_REPEATED_GROUP: Final = re.compile(r"\)[*+{]")
_POSIX_CLASS: Final = "[[:"
_MOST_STEPS: Final = 10_000_000
_MOST_OPTIONS: Final = 8
_NAMED: Final = 5
"""How many refused commits are named."""


def push_rule_checks(
    target: Target,
    project: Project,
    rule: PushRule | None,
    server: Server | None,
    commits: Sequence[PlannedCommit] | None,
    *,
    committer: Committer,
    user: User,
) -> Iterator[Check]:
    """Hold each planned commit against what GitLab asks of the commits that are pushed to it.

    A push is refused as a whole, so one commit is enough. ``commits`` is ``None`` where there is no
    plan that could be carried out.
    """
    check = partial(
        Check,
        id="push-rules",
        target=target.project,
        look_at=f"{project.web_url}/-/settings/repository#js-push-rules",
    )
    if rule is None:
        yield _not_shown(check, server)
        return
    new = [commit for commit in commits or () if commit.outcome == "new"]
    found = [
        *_people(check, rule, committer, user, new),
        *_each(check, rule, new),
        *_branch(check, rule, target),
        *_sizes(check, rule),
    ]
    yield from found
    if commits is None:
        yield check(
            outcome="not-seen",
            message="No commits could be planned, so none was held against the push rules.",
            hint="Mend what keeps the plan from being made, and look again.",
        )
    elif not found:
        message = f"No push rule refuses {counted(len(new), 'planned commit')}."
        yield check(outcome="passed", message=message, look_at=None)


def _not_shown(check: partial[Check], server: Server | None) -> Check:
    """Tell a rule that is hidden from an edition that has none; both answer alike."""
    if server is not None and server.is_enterprise is False:
        message = "This edition of GitLab has no push rules."
        return check(outcome="passed", message=message, look_at=None)
    return check(
        outcome="not-seen",
        message="The push rules: GitLab shows them to Maintainers only (Premium has them).",
        hint="Ask a Maintainer about committer, signature and pattern of the message.",
    )


def _people(
    check: partial[Check],
    rule: PushRule,
    committer: Committer,
    user: User,
    commits: Sequence[PlannedCommit],
) -> Iterator[Check]:
    """Compare the committer, who is the same of every commit, with the pusher.

    The name counts where the author is the committer, so of a restore and not of a pick: that
    bears the name of whoever wrote it, and GitLab lets it through.
    """
    own = sorted(one_line(each, 100) for each in user.emails)
    folded = {each.casefold() for each in user.emails}
    if rule.only_own_commits and committer.email.casefold() not in folded:
        yield check(
            outcome="failed",
            message="Only commits of the pusher's own address are taken; the spec's committer is "
            f"{one_line(committer.email, 100)}.",
            hint="Set the pusher's in the spec or in defaults.yaml: "
            f"`committer: {{email: {own[0] if own else 'ADDRESS'}}}`, and plan anew. It may be "
            "another verified address of theirs, which GitLab does not tell.",
        )
    own_work = not commits or any(_address(c.author) == _address(c.committer) for c in commits)
    if rule.only_own_name and own_work and committer.name != user.name:
        yield check(
            outcome="failed",
            message="Only commits in the pusher's name are taken; the spec's committer is "
            f"{one_line(committer.name, 80)}.",
            hint=f"Set `committer: {{name: {one_line(user.name, 80)}}}`, and plan anew.",
        )


def _each(
    check: partial[Check], rule: PushRule, commits: Sequence[PlannedCommit]
) -> Iterator[Check]:
    """Hold what is each commit's own against the rules: message, people, files, signature."""
    if rule.only_signed and commits:
        yield check(
            outcome="failed",
            message="Unsigned commits are refused, and the planned ones bear no signature.",
            hint="Have a Maintainer lift the rule for the hotfix: the plan fixes the commits to "
            "the byte, so nobody can sign them later.",
        )
    unsigned = [each for each in commits if not _SIGNED_OFF.search(each.message)]
    if rule.only_signed_off and unsigned:
        yield _refused(check, "Commits must be signed off", unsigned)
    for pattern, what, said, wanted in (
        (rule.message, "message", _message, True),
        (rule.message_not, "message", _message, False),
        (rule.author_email, "author and committer", _addresses, True),
    ):
        if pattern is not None:
            yield from _held(check, pattern, what, commits, said, wanted=wanted)
    if rule.file_name_not is not None:
        yield from _held(check, rule.file_name_not, "file names", commits, _paths, wanted=False)
    people = sorted({each for commit in commits for each in _addresses(commit)})
    if rule.only_members and people:
        yield check(
            outcome="not-seen",
            message="Authors and committers must be users of this GitLab; whether they are is not "
            f"shown: {one_line(', '.join(people), 300)}.",
            hint="See that each address is a user's; the spec's `committer` is among them.",
        )


def _held(
    check: partial[Check],
    pattern: str,
    what: str,
    commits: Sequence[PlannedCommit],
    said: Callable[[PlannedCommit], Sequence[str]],
    *,
    wanted: bool,
) -> Iterator[Check]:
    """Try a pattern of GitLab's where Python's engine surely ends and means the same."""
    shown = f"`{one_line(pattern, 200)}`"
    must = f"A commit's {what} must {'' if wanted else 'not '}match {shown}"
    answers = [(each, matches(pattern, text)) for each in commits for text in said(each)]
    if any(answer is None for _, answer in answers):
        yield check(
            outcome="not-seen",
            message=f"{must}, which is not tried here.",
            hint="Try it with RE2 on the messages that `hotfix plan` shows.",
        )
        return
    against = {id(each) for each, answer in answers if answer is not wanted}
    refused = [each for each in commits if id(each) in against]
    if refused:
        yield _refused(check, must, refused)


def _refused(check: partial[Check], must: str, refused: Sequence[PlannedCommit]) -> Check:
    named = ", ".join(_named(each) for each in refused[:_NAMED])
    more = f" and {len(refused) - _NAMED} more" if len(refused) > _NAMED else ""
    return check(
        outcome="failed",
        message=f"{must}, which refuses {named}{more}.",
        hint="Change what the spec says of the restore (`restore_message`, `committer`), or have a "
        "Maintainer lift the rule for the hotfix; then plan anew.",
    )


def _named(commit: PlannedCommit) -> str:
    of = f" of !{commit.merge_request}" if commit.merge_request else ""
    return f"{commit.action}{of} {short(commit.sha or '?')}"


def _message(commit: PlannedCommit) -> Sequence[str]:
    return [commit.message]


def _addresses(commit: PlannedCommit) -> Sequence[str]:
    return [_address(commit.author), _address(commit.committer)]


def _address(person: str) -> str:
    return person.rpartition("<")[2].rstrip(">")


def _paths(commit: PlannedCommit) -> Sequence[str]:
    return [each.path for each in commit.files if each.change in {"added", "renamed"}]


def _branch(check: partial[Check], rule: PushRule, target: Target) -> Iterator[Check]:
    if rule.branch_name is None:
        return
    answer = matches(rule.branch_name, target.release_branch)
    if answer:
        return
    shown = f"`{one_line(rule.branch_name, 200)}`"
    yield check(
        outcome="not-seen" if answer is None else "failed",
        message=f"A branch's name must match {shown}: whether "
        f"{one_line(target.release_branch, 80)} does is not tried here."
        if answer is None
        else f"{one_line(target.release_branch, 80)} must match {shown}, and does not.",
        hint="Ask a Maintainer.",
    )


def _sizes(check: partial[Check], rule: PushRule) -> Iterator[Check]:
    if rule.max_file_megabytes:
        yield check(
            outcome="not-seen",
            message=f"Files over {rule.max_file_megabytes} MB are refused; sizes are not looked "
            "at here.",
            hint="See that no file which the restore brings back is larger.",
        )


def matches(pattern: str, text: str) -> bool | None:
    """Search a text by a push rule's pattern, line by line as GitLab does of messages.

    GitLab uses RE2, whose effort is bounded; Python's engine is not. ``None`` is what would take
    it too long, or what it does not read, or reads as something else.
    """
    if _POSIX_CLASS in pattern:
        return None
    steps = len(text) ** len(_REPEATS.findall(pattern))
    if _REPEATED_GROUP.search(pattern) or steps > _MOST_STEPS or pattern.count("?") > _MOST_OPTIONS:
        return None
    try:
        return re.search(pattern, text, re.MULTILINE | re.ASCII) is not None
    except (re.error, OverflowError):
        return None
