"""Moving the release branch along the planned commits, each push once.

A push carries the head that it expects, so GitLab's Git refuses it if anybody moved the branch in
between; and since every id is planned, looking at the branch tells whether a push happened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from hotfix.apply.context import base_of, planned_commits, release_ref
from hotfix.apply.moves import BranchMovedError
from hotfix.errors import FailedError
from hotfix.forge.protocol import StaleRefError, UnknownOutcomeError
from hotfix.identifiers import Sha, short

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import JsonValue

    from hotfix.apply.context import Run
    from hotfix.plan.model import PlannedCommit, TargetPlan


def advance(
    run: Run,
    step: Literal["restore", "pick"],
    target: TargetPlan,
    commits: Sequence[PlannedCommit],
    more: Mapping[str, JsonValue],
) -> None:
    """Bring the branch to the last of these commits, or find that it stands there already.

    Raises ``StaleError`` where the branch stands at no planned commit.
    """
    line = (base_of(target), *planned_commits(target))
    new = Sha(commits[-1].sha) if commits and commits[-1].sha else None
    old = Sha(commits[0].parent) if commits else None
    head = run.release_head(target)
    if head not in line:
        raise BranchMovedError(target, head, f"{short(line[0])} or a planned commit")
    facts: dict[str, JsonValue] = {"ref": release_ref(target), "old": old, "new": new, **more}
    if new is None or line.index(head) >= line.index(new):
        how = "not-needed" if new is None else _how_it_came(run, step, target, commits)
        _done(run, step, target, {**facts, "head": head, "how": how})
        return
    rest = [commit for commit in commits if line.index(Sha(commit.sha or "")) > line.index(head)]
    if rest[0].parent != head:
        raise BranchMovedError(target, head, short(rest[0].parent))
    _push(run, step, target, rest, {**facts, "old": head})


def _push(
    run: Run,
    step: Literal["restore", "pick"],
    target: TargetPlan,
    commits: Sequence[PlannedCommit],
    facts: dict[str, Any],
) -> None:
    run.check_stop()
    run.prove_locks()
    run.journal.add(step, target.project, "intent", facts)
    new = Sha(facts["new"])
    objects = [each for commit in commits for each in run.objects[commit.sha or ""]]
    how = "pushed"
    try:
        run.repository(target.project).push(
            facts["ref"], old=Sha(facts["old"]), new=new, objects=objects
        )
    except (UnknownOutcomeError, StaleRefError):
        how = "found-after-lost-answer"
    head = run.release_head(target)
    if head == facts["old"]:
        raise FailedError(
            "push-lost",
            f"The push to {target.release_branch} of {target.project} did not arrive; "
            f"the branch stands at {short(head)} as before.",
            hint=f"Go on with: {run.request.command}",
        )
    if head != new:
        raise BranchMovedError(target, head, short(new))
    _done(run, step, target, {**facts, "head": head, "how": how})


def _how_it_came(
    run: Run,
    step: Literal["restore", "pick"],
    target: TargetPlan,
    commits: Sequence[PlannedCommit],
) -> str:
    before = run.journal.last(step, target.project, "done", new=commits[-1].sha)
    if before is not None:
        return str(before.facts["how"])
    if run.journal.last(step, target.project, "intent", new=commits[-1].sha) is not None:
        return "found-after-lost-answer"
    return "adopted" if any(commit.action == "keep" for commit in commits) else "already-there"


def _done(
    run: Run, step: Literal["restore", "pick"], target: TargetPlan, facts: dict[str, Any]
) -> None:
    """Write the outcome, unless the journal tells exactly this already."""
    same = run.journal.last(step, target.project, "done", new=facts["new"], how=facts["how"])
    if same is None:
        run.journal.add(step, target.project, "done", facts)
    branch = target.release_branch
    if facts["how"] == "not-needed":
        said = "nothing to push"
    elif same is None and facts["how"] == "pushed":
        said = f"pushed {short(facts['head'])} to {branch}"
    else:
        said = f"{short(facts['new'])} stands on {branch} ({facts['how'].replace('-', ' ')})"
    run.tell(step, target.project, "done", said)
