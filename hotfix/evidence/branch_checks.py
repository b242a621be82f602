"""What proves the release branch: the first three of the nine checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hotfix.evidence.case import failed, missing, passed, same, shown

if TYPE_CHECKING:
    from hotfix.evidence.case import Case, Proof
    from hotfix.evidence.model import Entry

_PUSHED: Final = ("pushed", "found-after-lost-answer")


def production_sha_recorded(case: Case) -> Proof:
    """Prove that the last known-good production commit was recorded before the restore.

    On the way back production runs what is being taken back, so that the sources may disagree; one
    that names the known-good commit must be there all the same.
    """
    recorded = case.all("preflight", "observed", having=("production_sha",))
    restore = case.first("restore", "intent", "done")
    if not recorded:
        return missing("No entry records which commit production ran.")
    before = [entry for entry in recorded if restore is None or entry.seq < restore.seq]
    if not before:
        return missing("Production's commit was recorded only after the restore.", recorded[0])
    entry = before[-1]
    planned = case.target.production.sha
    others = [source for source in _sources(entry) if not same(source["sha"], planned)]
    names = [shown(source.get("source")) for source in _sources(entry) if source not in others]
    if not same(entry.facts["production_sha"], planned):
        seen = shown(entry.facts["production_sha"])
        return failed(f"Production ran commit {seen}, the plan is made on {shown(planned)}.", entry)
    if others and case.kind == "hotfix":
        other = others[0]
        return failed(
            f"{shown(other.get('source'))} says that production ran commit {shown(other['sha'])}, "
            f"not {shown(planned)}.",
            entry,
        )
    if not names:
        return missing(f"No source says that production ran commit {shown(planned)}.", entry)
    return passed(
        f"Commit {shown(planned)} was recorded before the restore, from: {', '.join(names)}.", entry
    )


def restore_diff_empty(case: Case) -> Proof:
    """Prove that release did not differ from production right after the restore."""
    restored = _restored(case)
    if restored is None:
        return missing("No entry shows the restore as done.")
    entry = case.last(
        "verify-restore", "observed", having=("tree", "production_tree"), after=restored.seq
    )
    if entry is None:
        return missing("No entry compares release with production after the restore.", restored)
    restore, facts = case.restore, entry.facts
    planned = case.base if restore is None else restore.sha
    what = "Release head" if restore is None else "Restore commit"
    if not same(facts.get("commit"), planned):
        return failed(
            f"Commit {shown(facts.get('commit'))} was compared with production, "
            f"planned was {shown(planned)}.",
            entry,
        )
    trees = [facts["production_tree"], *([restore.tree] if restore else [])]
    if any(tree != facts["tree"] for tree in trees) or facts.get("equal") is False:
        return failed(
            f"{what} {shown(planned)} has tree {shown(facts['tree'])}, "
            f"production has {shown(facts['production_tree'])}.",
            entry,
        )
    return passed(
        f"{what} {shown(planned)} has tree {shown(facts['tree'])}, "
        f"production's commit {shown(case.target.production.sha)} has the same.",
        restored,
        entry,
    )


def branch_only_hotfix(case: Case) -> Proof:
    """Prove that release holds the restore and the intended hotfix, and nothing else."""
    entry = case.last("verify-branch", "observed", having=("commits", "head"))
    if entry is None:
        return missing("No entry lists what release holds.")
    planned, facts = list(case.commits), entry.facts
    restore = [case.restore.sha] if case.restore else []
    if case.kind == "rollback" and planned != restore:
        return failed("The plan of this rollback holds more than the restore commit.", entry)
    if not same(facts.get("base"), case.base):
        return failed(
            f"The commits were counted from {shown(facts.get('base'))}, "
            f"not from {shown(case.base)}.",
            entry,
        )
    if facts["commits"] != planned or facts.get("expected") != planned:
        return failed(_difference(facts["commits"], planned), entry)
    if not same(facts["head"], case.target.after):
        return failed(
            f"Release stood at {shown(facts['head'])}, planned was {shown(case.target.after)}.",
            entry,
        )
    kind = "the restore commit" if case.kind == "rollback" else "the planned commits"
    listed = ", ".join(shown(sha) for sha in planned) or "none were needed"
    return passed(f"Above {shown(case.base)} release holds {kind} and no other: {listed}.", entry)


def _restored(case: Case) -> Entry | None:
    """Find the entry that a comparison must follow: the last push, or else the first finding.

    A resumed run finds the restore in place and says so again; that changes nothing on the branch.
    """
    done = case.all("restore", "done")
    pushed = [entry for entry in done if entry.facts.get("how") in _PUSHED]
    return pushed[-1] if pushed else done[0] if done else None


def _sources(entry: Entry) -> list[dict[str, Any]]:
    sources = entry.facts.get("sources")
    listed = sources if isinstance(sources, list) else []
    return [item for item in listed if isinstance(item, dict) and item.get("sha") is not None]


def _difference(found: object, planned: list[str]) -> str:
    listed = found if isinstance(found, list) else []
    strange = [shown(sha) for sha in listed if sha not in planned]
    absent = [shown(sha) for sha in planned if sha not in listed]
    if strange:
        return f"Release holds commits that nobody planned: {', '.join(strange)}."
    if absent:
        return f"Release lacks planned commits: {', '.join(absent)}."
    return "Release holds the planned commits, but in another order or expecting others."
