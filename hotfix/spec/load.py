"""A spec from its file: read, checked as a whole, merged with the team's defaults."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from hotfix.errors import InputError
from hotfix.spec import gitlab_url
from hotfix.spec.checks import defaults_findings, spec_findings
from hotfix.spec.document import DefaultsDocument, SingleDocument, TargetsDocument
from hotfix.spec.faults import model_findings
from hotfix.spec.policy_document import team_policy, weakened
from hotfix.spec.problem import Mark, Problem, Source, SpecError
from hotfix.spec.reading import read
from hotfix.spec.resolve import resolve
from hotfix.spec.rules import quoted
from hotfix.spec.texts import text_findings
from hotfix.spec.together import at, findings_together
from hotfix.spec.tree import MapNode, ScalarNode, parse, plain
from hotfix.spec.where import find_defaults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from hotfix.spec.document import SpecDocument
    from hotfix.spec.model import Spec
    from hotfix.spec.texts import Finding

__all__ = ["Loaded", "find_defaults", "load_defaults", "load_spec", "load_specs"]

NEUTRAL_HOST = "gitlab.invalid"
"""Stands for a GitLab that nobody named (RFC 2606); only an offline check gets along with it."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A spec, and where it comes from; ``gitlab`` is None where nobody named one."""

    spec: Spec
    gitlab: str | None
    path: Path
    defaults_path: Path | None
    source: Source = field(repr=False)


def load_spec(
    path: Path,
    *,
    gitlab: str | None,
    fallback: str | None = None,
    require_gitlab: bool = False,
) -> Loaded:
    """Load a spec with the defaults that belong to it.

    The GitLab is ``gitlab`` (the command line's), else the spec's, else the defaults', else
    ``fallback`` (the environment's). An offline check does without; whoever makes a plan says
    ``require_gitlab``, since the built-in committer's address is made of its host.

    Raises ``SpecError`` with every problem of both files, and ``InputError`` for a file that cannot
    be read, a URL that is not fit, or no GitLab where one is required.
    """
    spec_file = _read_spec(path)
    defaults_path = find_defaults(path)
    defaults_file = _read_defaults(defaults_path) if defaults_path else None
    _check_together(spec_file, defaults_file)
    problems = [*spec_file.problems, *(defaults_file.problems if defaults_file else ())]
    document = spec_file.document
    if problems or document is None:
        raise SpecError(problems)
    defaults = defaults_file.document if defaults_file else None
    named = gitlab or document.gitlab or (defaults and defaults.gitlab) or fallback
    if not named and require_gitlab:
        raise InputError("no-gitlab", "nobody says which GitLab it is", hint=_NO_GITLAB_HINT)
    url = gitlab_url.normalized(named) if named else None
    return Loaded(
        spec=resolve(document, defaults, host=gitlab_url.host(url) if url else NEUTRAL_HOST),
        gitlab=url,
        path=path,
        defaults_path=defaults_path,
        source=spec_file.source,
    )


def load_specs(
    paths: Sequence[Path], *, gitlab: str | None, fallback: str | None = None
) -> tuple[Loaded, ...]:
    """Load several specs, as an offline check of a whole repository does.

    Raises ``SpecError`` with the problems of all of them; two with one id are a problem as well,
    since both would claim the same trailers, lock and evidence.
    """
    loaded: list[Loaded] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            loaded.append(load_spec(path, gitlab=gitlab, fallback=fallback))
        except SpecError as error:
            problems.extend(error.problems)
    problems.extend(_repeated_ids(loaded))
    if problems:
        raise SpecError(list(dict.fromkeys(problems)))
    return tuple(loaded)


def load_defaults(path: Path) -> DefaultsDocument | None:
    """Load the team's defaults that belong to a file, a saved plan for one; ``None`` without any.

    Raises ``SpecError`` with every problem of it.
    """
    found = find_defaults(path)
    if found is None:
        return None
    file = _read_defaults(found)
    if file.problems or file.document is None:
        raise SpecError(file.problems)
    return file.document


_Document = TypeVar("_Document")


@dataclass(slots=True)
class _File(Generic[_Document]):
    """A file that was read: its document where the models accept it, and what is wrong."""

    source: Source
    root: MapNode | None
    document: _Document | None
    problems: list[Problem]

    def add(self, findings: Iterable[Finding]) -> None:
        """Tell more problems, and keep all of them in the order of the file, each once."""
        for node, message, hint in findings:
            one_line = isinstance(node, ScalarNode) or node.start.line == node.end.line
            end = node.end if one_line else None
            self.problems.append(self.source.problem(node.start, end, message, hint))
        unique = dict.fromkeys(self.problems)
        self.problems = sorted(unique, key=lambda problem: (problem.line, problem.column))


def _read_spec(path: Path) -> _File[SpecDocument]:
    def model(root: MapNode) -> type[SingleDocument | TargetsDocument]:
        return TargetsDocument if "targets" in root.pairs else SingleDocument

    return _read(path, model, spec_findings)


def _read_defaults(path: Path) -> _File[DefaultsDocument]:
    return _read(path, lambda _: DefaultsDocument, defaults_findings)


_Model = TypeVar("_Model", bound=BaseModel)


def _read(
    path: Path,
    model: Callable[[MapNode], type[_Model]],
    checks: Callable[[MapNode], Iterable[Finding]],
) -> _File[_Model]:
    source = read(path)
    root, problems = parse(source)
    file: _File[_Model] = _File(source, root, None, problems)
    if root is None:
        return file
    findings = list(text_findings(root))
    told = {node.start for node, _, _ in findings}
    told.update(Mark(problem.line, problem.column) for problem in problems)
    document = model(root)
    try:
        file.document = document.model_validate(plain(root))
    except ValidationError as error:
        refused = model_findings(error, root, document)
        findings += [each for each in refused if each[0] is root or each[0].start not in told]
    file.add([*findings, *checks(root)])
    return file


def _check_together(spec: _File[SpecDocument], defaults: _File[DefaultsDocument] | None) -> None:
    if spec.root is None or (defaults is not None and defaults.root is None):
        return
    for root, finding in findings_together(spec.root, defaults.root if defaults else None):
        file = spec if defaults is None or root is spec.root else defaults
        file.add([finding])
    team = defaults.document if defaults is not None else DefaultsDocument(version=1)
    if spec.document is not None and team is not None:
        spec.add(_weakened(spec.root, spec.document, team))


def _weakened(root: MapNode, spec: SpecDocument, defaults: DefaultsDocument) -> Iterator[Finding]:
    """Find where a spec would let itself go out by less than the team wants."""
    keys = weakened(spec, defaults)
    if keys is not None:
        wanted = quoted(json.dumps(team_policy(defaults).said(*keys)))
        hint = "A spec may be stricter than its team, never weaker. Take the key out."
        yield (
            at(root, "policy", *keys) or root,
            f"`{keys[-1]}` asks for less than the team's policy does: {wanted}",
            hint,
        )


def _repeated_ids(loaded: Sequence[Loaded]) -> list[Problem]:
    first: dict[str, Loaded] = {}
    problems = []
    for each in loaded:
        earlier = first.setdefault(each.spec.id, each)
        root, _ = parse(each.source)
        node = root.get("id") if root else None
        if earlier is not each and node is not None:
            problems.append(
                each.source.problem(
                    node.start,
                    node.end,
                    f"the id {quoted(each.spec.id)} is another spec's too",
                    f"{quoted(earlier.path)} has it; choose another.",
                )
            )
    return problems


_NO_GITLAB_HINT = (
    "Give `--gitlab URL`, write `gitlab: URL` into defaults.yaml, or set HOTFIX_GITLAB_URL."
)
