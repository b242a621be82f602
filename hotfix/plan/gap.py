"""The semantic gap: what a clean pick uses and production lacks, in the words of merge requests.

A pick that conflicts says by itself that the fix stands on unreleased work (runbook, Decision
Points). One that does not may stand on it all the same: it calls what only the main line has. That
cannot be proven by words, so it is a warning, and says where to look.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from hotfix.git.commits import read_commit
from hotfix.git.gap.brought import brought_by
from hotfix.git.gap.find import find_gaps
from hotfix.git.gap.model import Gap, Picked
from hotfix.git.missing import missing_commits
from hotfix.git.needed import Change, Line
from hotfix.identifiers import Sha, short
from hotfix.plan.leaving import named_in_merges
from hotfix.plan.model import Finding
from hotfix.text import counted, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hotfix.git.commits import CommitInfo
    from hotfix.git.gap.model import Gaps
    from hotfix.git.objects import ObjectReader
    from hotfix.plan.adopt import Wanted
    from hotfix.plan.model import PlannedCommit
    from hotfix.plan.observe import SeenTarget

_NAMED: Final = 3
"""How many words a message names; the detail has the rest."""
_LISTED: Final = 20


@dataclass(frozen=True, slots=True)
class Searched:
    """What came of the search in a target."""

    findings: tuple[Finding, ...] = ()
    note: str = ""
    """What was not looked at, where that is something."""
    nameless: tuple[CommitInfo, ...] = ()
    """Commits that brought what is missing, of which the merge request is not known yet."""


def semantic_gap(
    each: SeenTarget,
    reader: ObjectReader,
    wanted: Sequence[Wanted],
    commits: Sequence[PlannedCommit],
    named: Mapping[Sha, int],
) -> Searched:
    """Hold what the planned commits add against the main line that they were written on.

    The main line is the target branch as it was at the newest of the picked commits. ``named`` are
    the merge requests of commits, as far as they are known.
    """
    findings: list[Finding] = []
    notes: list[str] = []
    nameless: dict[Sha, CommitInfo] = {}
    for main in _main_lines(each, reader, wanted):
        gaps = _gaps(reader, main, commits)
        notes += _notes(gaps, main.branch)
        if not gaps.found:
            continue
        onto, production = Sha(commits[-1].sha or commits[-1].parent), each.target.production_sha
        line = missing_commits(
            reader, commit=main.newest, onto=onto, production=Sha(production)
        ).line
        brought = brought_by(reader, gaps.found, line)
        names = {**named_in_merges(tuple(reversed(line)), each.target.project), **named}
        known = {commit.sha: commit for commit in line}
        nameless |= {sha: known[sha] for sha in brought.values() if sha not in names}
        findings += _findings(each, main, _picked(main, commits), gaps.found, brought, names)
    return Searched(tuple(findings), "; ".join(notes), tuple(nameless.values()))


def lines_beside(
    each: SeenTarget, reader: ObjectReader, wanted: Sequence[Wanted]
) -> Iterator[Line]:
    """List the trees that the search compares, to be fetched together with what the picks read."""
    production = read_commit(reader, Sha(each.target.production_sha)).tree
    for main in _main_lines(each, reader, wanted):
        yield Line(None, (Change(production, read_commit(reader, main.newest).tree),))


class _MainLine(NamedTuple):
    branch: str
    newest: Sha
    """The last of the picked commits that entered it."""
    merge_requests: frozenset[int]


def _main_lines(
    each: SeenTarget, reader: ObjectReader, wanted: Sequence[Wanted]
) -> Iterator[_MainLine]:
    """Yield the branches that the picked merge requests were merged into; mostly it is one."""
    targets = {
        found.iid: found.target_branch
        for seen in each.merge_requests
        if (found := seen.merge_request) is not None
    }
    for branch in dict.fromkeys(targets.values()):
        mine = [want for want in wanted if targets[want.merge_request] == branch]
        if mine:
            newest = max(mine, key=lambda want: read_commit(reader, want.commit).committer_time)
            iids = frozenset(want.merge_request for want in mine)
            yield _MainLine(one_line(branch, 80), newest.commit, iids)


def _picked(main: _MainLine, commits: Sequence[PlannedCommit]) -> list[PlannedCommit]:
    return [commit for commit in commits if commit.merge_request in main.merge_requests]


def _gaps(reader: ObjectReader, main: _MainLine, commits: Sequence[PlannedCommit]) -> Gaps:
    picks = [
        Picked(read_commit(reader, Sha(commit.parent)).tree, Sha(commit.tree))
        for commit in _picked(main, commits)
    ]
    tree = read_commit(reader, main.newest).tree
    return find_gaps(reader, picks=picks, result=Sha(commits[-1].tree), main=tree)


def _notes(gaps: Gaps, branch: str) -> Iterator[str]:
    if gaps.hindered:
        yield f"nothing of {branch}: {one_line(gaps.hindered)}"
    elif gaps.searched < gaps.of:
        yield (
            f"{gaps.searched} of {counted(gaps.of, 'source')} in which {branch} and the planned "
            "branch differ, those nearest to the picks"
        )


def _findings(
    each: SeenTarget,
    main: _MainLine,
    picked: Sequence[PlannedCommit],
    gaps: Sequence[Gap],
    brought: Mapping[Gap, Sha],
    names: Mapping[Sha, int],
) -> Iterator[Finding]:
    """Tell what is missing, together where one merge request uses it and one other brought it."""
    groups: dict[tuple[int | None, Sha | int | None], list[Gap]] = {}
    for gap in gaps:
        sha = brought.get(gap)
        key = (picked[gap.use.pick].merge_request, names.get(sha, sha) if sha else None)
        groups.setdefault(key, []).append(gap)
    for (iid, by), found in groups.items():
        words = list(dict.fromkeys(_word(gap) for gap in found))
        more = f" and {len(words) - _NAMED} more" if len(words) > _NAMED else ""
        name = f"!{by}" if isinstance(by, int) else short(by) if by else None
        what = f"what {name} brought to {main.branch}" if name else f"what {main.branch} has"
        yield Finding(
            code="semantic-gap",
            target=each.target.project,
            message=f"!{iid} uses {what} and the planned branch lacks: "
            f"{', '.join(words[:_NAMED])}{more}.",
            hint="The pick is clean all the same, so only a look tells. "
            + _ask(name, by if isinstance(by, int) else None),
            detail="\n".join(_detail(gap, main.branch) for gap in found[:_LISTED]),
        )


def _ask(name: str | None, iid: int | None) -> str:
    if iid is not None:
        return (
            f"Ask whether the fix works without {name}; if both may ship, add {iid} to "
            "`merge_requests`."
        )
    without = f"without {name}" if name else "without it"
    return f"Ask whoever wrote the fix whether it works {without}."


def _word(gap: Gap) -> str:
    word = f"`{one_line(gap.use.word, 80)}`"
    return word if gap.kind == "name" else f"{gap.kind} {word}"


def _detail(gap: Gap, branch: str) -> str:
    place = f"{one_line(gap.use.path, 120)}, line {gap.use.line}"
    there = f"{branch} has it in {one_line(gap.there, 120)}"
    if gap.kind in {"package", "submodule"}:
        there = f"{one_line(gap.there, 120)} has {one_line(gap.detail, 120)}"
    return f"{place}: {_word(gap)}; {there}"
