"""The ways to do one hotfix, a restore and some picks: ours, git's plumbing, and the runbook's.

After each that pushes, release has to be as many commits further, with the same tree whoever made
it; else the benchmark fails.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from costs.lab import FLOOR, HERE, Way, floor
from costs.world import TOKEN, spec_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from costs.host import Host
    from costs.lab import Lab
    from costs.repository import Synthetic

PART, PUSHED, KEPT = "Git part", "Git part, pushed", "Git part, pushed, cache warm"
PLAN, AGAIN, APPLY = "`hotfix plan`", "`hotfix plan`, cache warm", "`hotfix apply`"
FETCH, PLUMBING = "git fetch, `blob:none`", "git plumbing"
WARM, SHALLOW, FULL = "runbook, warm clone", "runbook, `--depth=1`", "runbook, full clone"
VERSION, HELP, VALIDATE = "`hotfix --version`", "`hotfix --help`", "`hotfix validate`"
OTHERS = (PLUMBING, WARM, SHALLOW, FULL)
_HOTFIX = str(Path(sys.executable).parent / "hotfix")


def light(repository: Synthetic) -> Mapping[str, Way]:
    """Return the commands that ask nobody."""
    prepare = _with_spec("https://gitlab.example.com", [repository])
    return {
        FLOOR: floor(),
        VERSION: Way((_HOTFIX, "--version"), rehearse=True),
        HELP: Way((_HOTFIX, "--help"), rehearse=True),
        VALIDATE: Way((_HOTFIX, "validate", "hotfix.yaml"), before=prepare, rehearse=True),
    }


def commands(lab: Lab, host: Host, repositories: Sequence[Synthetic]) -> Mapping[str, Way]:
    """Return the commands as their user runs them, with models and the calls to GitLab's API.

    The answer to the gate is given beforehand, jobs take no time, and pipelines are looked at
    every 0.05 s: what is left of ``apply`` is its own.
    """
    prepare = _with_spec(host.url, repositories)
    settings = {
        "HOTFIX_TOKEN": TOKEN,
        "HOTFIX_POLL_SECONDS": "0.05",
        "XDG_CACHE_HOME": str(lab.scratch / f"cache-{len(repositories)}"),
    }

    def way(*arguments: str) -> Way:
        return Way((_HOTFIX, *arguments), settings, prepare, rehearse=True)

    answered = ("--auto-approve", "--promote")
    return {
        PLAN: way("plan", "hotfix.yaml", "--no-cache"),
        AGAIN: way("plan", "hotfix.yaml"),
        APPLY: way("apply", "hotfix.yaml", "--no-cache", *answered),
    }


def _with_spec(url: str, repositories: Sequence[Synthetic]) -> Callable[[Path], Path]:
    spec = spec_of(url, repositories)

    def prepare(folder: Path) -> Path:
        (folder / "hotfix.yaml").write_text(spec, encoding="utf-8")
        return folder

    return prepare


def every(lab: Lab, host: Host, repository: Synthetic) -> Mapping[str, Way]:
    """Return all ways to plan or make one hotfix."""
    alone, whole = git_part(lab, host, repository), commands(lab, host, [repository])
    apply = whole[APPLY]._replace(after=alone[PUSHED].after)
    return {FLOOR: floor(), **alone, **whole, APPLY: apply}


def git_part(lab: Lab, host: Host, repository: Synthetic) -> Mapping[str, Way]:
    """Return our Git part alone, and the ways to do the same with git."""
    return _GitPart(lab, host, repository).ways()


class _GitPart:
    """One hotfix that is made again and again."""

    def __init__(self, lab: Lab, host: Host, repository: Synthetic) -> None:
        self._lab = lab
        self._repository = repository
        self._url = f"{host.url}/{repository.shape.path}.git"
        self._place = lab.scratch / f"{repository.shape.folder}-{len(repository.picks)}"
        self._place.mkdir(exist_ok=True)
        self._tree: str | None = None

    def ways(self) -> Mapping[str, Way]:
        picks = (each.sha for each in self._repository.picks)
        release, production = self._repository.release, self._repository.production
        asked = (self._url, release, production, *picks)
        ours = (sys.executable, str(HERE / "ours.py"))
        plumbing, runbook = str(HERE / "plumbing.sh"), str(HERE / "runbook.sh")
        keeping = {"HOTFIX_BENCH_CACHE": str(self._place / "cache")}
        after = self._check
        return {
            PART: Way((*ours, "plan", *asked), rehearse=True),
            PUSHED: Way((*ours, "push", *asked), after=after, rehearse=True),
            KEPT: Way((*ours, "push", *asked), keeping, after=after, rehearse=True),
            FETCH: Way((plumbing, "fetch", *asked)),
            PLUMBING: Way((plumbing, "push", *asked), after=after),
            WARM: Way((runbook, "warm", *asked), before=self._warm, after=after),
            SHALLOW: Way((runbook, "shallow", *asked), after=after),
            FULL: Way((runbook, "full", *asked), after=after),
        }

    def _warm(self, folder: Path) -> Path:
        """Have a clone that is up to date and stands on main, the best case for the runbook."""
        del folder
        clone = self._place / "work"
        if not clone.exists():
            self._lab.git(self._place, "clone", "--quiet", self._url, "work")
        release = self._repository.release
        self._lab.git(clone, "checkout", "--quiet", "--force", "main")
        self._lab.git(clone, "update-ref", "refs/remotes/origin/release", release)
        return self._place

    def _check(self) -> None:
        """Have a restore and the picks on what release was, and the tree that the first made."""
        picks, production = len(self._repository.picks), self._repository.production
        if self._ask("rev-parse", f"release~{picks + 1}") != self._repository.release:
            raise SystemExit("release is not a restore and the picks on what it was")
        self._ask("diff", "--quiet", f"release~{picks}", production)
        tree = self._ask("rev-parse", "release^{tree}")
        self._tree = self._tree or tree
        if tree != self._tree:
            raise SystemExit(f"release has the tree {tree}, another way made {self._tree}")

    def _ask(self, *arguments: str) -> str:
        return self._lab.git(self._repository.path, *arguments)


def at(
    place: float, ways: Mapping[str, Way], *names: str
) -> Iterable[tuple[tuple[float, str], Way]]:
    """Give some ways, or all, their place on a section's axis."""
    return [((place, name), way) for name, way in ways.items() if name in names or not names]
