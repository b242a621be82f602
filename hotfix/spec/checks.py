"""What spans several keys of a spec: lists without repetition, names that must be known, order.

The checks read the tree, not the models, and pass over what has the wrong type: so they speak in
the same go as the models do.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hotfix.attributes import attribute_faults
from hotfix.spec.document import MERGE_REQUEST_PATTERN
from hotfix.spec.rules import quoted
from hotfix.spec.tree import ListNode, MapNode, Node, ScalarNode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from hotfix.spec.texts import Finding


def spec_findings(root: MapNode) -> Iterator[Finding]:
    """Check a spec: its targets, each by itself and among each other, and its incident."""
    targets = _targets(root)
    yield from repeated(_values(targets, "project"), "the target", _text)
    for target in targets:
        yield from _target_findings(target)
    if "targets" in root.pairs:
        yield from _project_value_findings(root)
        yield from _attribute_findings(root)
    yield from _after_findings(targets)
    yield from settings_findings(root)


def settings_findings(root: MapNode) -> Iterator[Finding]:
    """Check what a spec and its defaults have in common."""
    incident = root.get("incident")
    if isinstance(incident, MapNode):
        yield from _incident_findings(incident)
        yield from repeated(_items(incident, "labels"), "the label", _text)
        yield from repeated(_items(incident, "assignees"), "the assignee", _text)
        yield from repeated(_items(incident, "follow_ups"), "the follow-up", _text)


def defaults_findings(root: MapNode) -> Iterator[Finding]:
    """Check the team's defaults."""
    yield from _project_value_findings(root)
    yield from _attribute_findings(root)
    yield from settings_findings(root)


def command_findings(root: MapNode) -> Iterator[Finding]:
    """Find the checks that run programs, for a team whose defaults do not allow them."""
    for target in _targets(root):
        for check in _items(target, "smoke_checks"):
            if isinstance(check, MapNode) and "command" in check.pairs:
                yield (
                    check.pairs["command"][0],
                    "the team's defaults do not allow checks that run programs",
                    "Use another kind, or set `policy.allow_commands: true` in defaults.yaml.",
                )


def repeated(nodes: Iterable[Node], what: str, key: Callable[[Node], object]) -> Iterator[Finding]:
    """Find the nodes whose key another one before them has."""
    first: dict[object, Node] = {}
    for node in nodes:
        found = key(node)
        if found is None:
            continue
        earlier = first.setdefault(found, node)
        if earlier is not node:
            shown = quoted(node.text) if isinstance(node, ScalarNode) else "this"
            yield (
                node,
                f"{what} {shown} is listed twice",
                f"It stands in line {earlier.start.line} already; take one away.",
            )


def _target_findings(target: MapNode) -> Iterator[Finding]:
    project = _text(target.get("project"))

    def reference(node: Node) -> object:
        return merge_request(node, project)

    yield from repeated(_items(target, "merge_requests"), "the merge request", reference)
    checks = [check for check in _items(target, "smoke_checks") if isinstance(check, MapNode)]
    yield from repeated(_values(checks, "name"), "the check", _text)
    yield from _coverage_findings(checks)
    yield from _resolution_findings(target, project)
    yield from _project_value_findings(target)
    yield from _attribute_findings(target)


def merge_request(node: Node | None, project: object) -> tuple[object, int] | None:
    """Read a merge request as (project, iid), or None where it is none."""
    if not isinstance(node, ScalarNode):
        return None
    if isinstance(node.value, int) and not isinstance(node.value, bool):
        return project, node.value
    if isinstance(node.value, str) and re.fullmatch(MERGE_REQUEST_PATTERN, node.value):
        path, _, iid = node.value.rpartition("!")
        return path, int(iid)
    return None


def _coverage_findings(checks: list[MapNode]) -> Iterator[Finding]:
    if checks and all(_text(check.get("only_for")) == "rollback" for check in checks):
        yield (
            checks[0],
            "no check is left for the hotfix: every one is only for a rollback",
            "Add one without `only_for`.",
        )


def _resolution_findings(target: MapNode, project: object) -> Iterator[Finding]:
    listed = {merge_request(node, project) for node in _items(target, "merge_requests")}
    iids = {found[1] for found in listed if found is not None}
    resolutions = [node for node in _items(target, "resolutions") if isinstance(node, MapNode)]
    yield from repeated(_values(resolutions, "commit"), "the resolution", _text)
    for node in _values(resolutions, "merge_request"):
        found = merge_request(node, project)
        if found is not None and iids and found[1] not in iids:
            yield (
                node,
                f"the merge request {found[1]} is not listed here",
                "Add it to `merge_requests`, or take the resolution away.",
            )


def _project_value_findings(level: MapNode) -> Iterator[Finding]:
    orchestration = level.get("orchestration")
    if not isinstance(orchestration, MapNode):
        return
    inputs = orchestration.get("inputs")
    if not isinstance(inputs, MapNode):
        return
    named = inputs.get("project")
    if isinstance(named, ScalarNode) and "project_value" in orchestration.pairs:
        yield (
            inputs.pairs["project"][0],
            "the input `project` is set by `project_value` already",
            "Keep one of the two.",
        )
    elif named is not None and not (isinstance(named, ScalarNode) and isinstance(named.value, str)):
        yield named, "the input `project` is a text", "Write `{path}`, `{name}` or a fixed text."


def _attribute_findings(level: MapNode) -> Iterator[Finding]:
    node = level.get("merge_attributes")
    if not isinstance(node, ScalarNode) or not isinstance(node.value, str):
        return
    for fault in attribute_faults(node.value):
        yield node.inside(fault.line, fault.column, fault.length), fault.sentence, fault.hint


def _incident_findings(incident: MapNode) -> Iterator[Finding]:
    create = incident.get("create")
    if not isinstance(create, ScalarNode):
        return
    if create.value is True and "iid" in incident.pairs:
        yield (
            incident.pairs["create"][0],
            "an incident that has an `iid` cannot be created",
            "Keep `iid` for one that exists, or `create: true` for a new one.",
        )
    if create.value is False and "iid" not in incident.pairs:
        yield (
            incident.pairs["create"][0],
            "no incident would record the hotfix",
            "Write the `iid` of one that exists, or `create: true`.",
        )


def _after_findings(targets: list[MapNode]) -> Iterator[Finding]:
    projects = {_text(target.get("project")) for target in targets}
    waits: dict[object, list[Node]] = {}
    for target in targets:
        names = _items(target, "after")
        yield from repeated(names, "the project", _text)
        waits[_text(target.get("project"))] = list(names)
        for node in names:
            if _text(node) is not None and _text(node) not in projects:
                known = ", ".join(sorted(quoted(name) for name in projects if name))
                yield (
                    node,
                    f"{quoted(_text(node))} is no target of this spec",
                    f"`after` names targets; here they are {known}." if known else "Take it out.",
                )
    yield from _cycle_findings(waits)


def _cycle_findings(waits: dict[object, list[Node]]) -> Iterator[Finding]:
    reachable = {project: _reachable(waits, project) for project in waits}
    for project, names in waits.items():
        for node in names:
            if _text(node) == project:
                yield node, f"{quoted(project)} waits for itself", "Take it out of `after`."
            elif project is not None and project in reachable.get(_text(node), ()):
                yield (
                    node,
                    f"{quoted(project)} and {quoted(_text(node))} wait for each other",
                    "Take one of the two out of `after`.",
                )


def _reachable(waits: dict[object, list[Node]], start: object) -> set[object]:
    """Return everything that a project waits for, directly or through others."""
    found: set[object] = set()
    following = [start]
    while following:
        names = {_text(node) for node in waits.get(following.pop(), [])} - found
        found |= names
        following.extend(names)
    return found


def _targets(root: MapNode) -> list[MapNode]:
    if "targets" not in root.pairs:
        return [root]
    return [node for node in _items(root, "targets") if isinstance(node, MapNode)]


def _items(node: MapNode, key: str) -> tuple[Node, ...]:
    value = node.get(key)
    return value.items if isinstance(value, ListNode) else ()


def _values(nodes: Iterable[MapNode], key: str) -> list[Node]:
    return [value for node in nodes if (value := node.get(key)) is not None]


def _text(node: Node | None) -> str | None:
    value = node.value if isinstance(node, ScalarNode) else None
    return value if isinstance(value, str) else None
