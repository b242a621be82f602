"""A lockfile as JUnit XML, for the pages on which a CI system shows test reports.

The nine checks are one suite of each target, its smoke checks another; what could not be observed
is an error, not a failure.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hotfix.evidence.model import Check, Lock


def lock_junit(lock: Lock) -> str:
    """Write the checks of a lockfile; of a smoke check its last try after the deployment."""
    root = ET.Element("testsuites", name=one_line(f"hotfix {lock.hotfix}"))
    for target in lock.plan.targets:
        checks = [check for check in lock.checks if check.target == target.project]
        suite = _suite(root, f"{target.project} runbook")
        for check in checks:
            _runbook_case(suite, check)
        suite = _suite(root, f"{target.project} smoke")
        tries = _last_tries(lock, target.project)
        for each in target.smoke_checks:
            _smoke_case(suite, f"{each.name} ({each.kind})", tries.get(each.name))
    for suite in root:
        for kind, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
            suite.set(kind, str(len(suite.findall(f".//{tag}"))))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _suite(root: ET.Element, name: str) -> ET.Element:
    return ET.SubElement(root, "testsuite", name=one_line(name))


def _runbook_case(suite: ET.Element, check: Check) -> None:
    case = ET.SubElement(suite, "testcase", name=check.id, classname=suite.get("name", ""))
    if check.outcome == "failed":
        ET.SubElement(case, "failure", message=one_line(check.detail))
    elif check.outcome == "missing":
        ET.SubElement(case, "error", message=one_line(check.detail))


def _smoke_case(suite: ET.Element, name: str, found: Mapping[str, Any] | None) -> None:
    case = ET.SubElement(suite, "testcase", name=one_line(name), classname=suite.get("name", ""))
    if found is None:
        ET.SubElement(case, "error", message="it was not tried")
        return
    case.set("time", f"{_seconds(found):g}")
    if found["outcome"] == "failed":
        ET.SubElement(case, "failure", message=one_line(str(found["detail"])))


def _last_tries(lock: Lock, project: str) -> Mapping[str, Mapping[str, Any]]:
    """Return the last try of each check since production was last deployed to."""
    found: dict[str, Mapping[str, Any]] = {}
    for entry in lock.entries:
        if entry.target != project:
            continue
        if (entry.step, entry.phase) == ("promote", "done"):
            found.clear()
        if entry.step == "smoke" and {"name", "outcome", "detail"} <= entry.facts.keys():
            found[str(entry.facts["name"])] = entry.facts
    return found


def _seconds(found: Mapping[str, Any]) -> float:
    try:
        begin, end = (datetime.fromisoformat(str(found[key])) for key in _TIMES)
    except (KeyError, ValueError):
        return 0.0
    return (end - begin).total_seconds()


_TIMES = ("started_at", "finished_at")
