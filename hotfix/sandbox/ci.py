"""Reading a project's ``.gitlab-ci.yml``: which jobs a pipeline has.

The part of GitLab's language that release pipelines are made of: inputs, stages, ``rules``,
``when: manual``, environments, trigger jobs. Scripts are not run; see ``scripts.py`` for the few
lines of them that the embedded GitLab acts on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import yaml

from hotfix.sandbox.ci_inputs import ConfigurationError, checked, interpolated
from hotfix.sandbox.ci_rules import holds

if TYPE_CHECKING:
    from collections.abc import Mapping

PATH: Final = ".gitlab-ci.yml"
DEFAULT_STAGES: Final = (".pre", "build", "test", "deploy", ".post")
KEYWORDS: Final = frozenset(
    {
        "after_script",
        "before_script",
        "cache",
        "default",
        "image",
        "include",
        "services",
        "spec",
        "stages",
        "variables",
        "workflow",
    }
)


@dataclass(frozen=True, slots=True)
class Trigger:
    """The pipeline that a trigger job starts elsewhere."""

    project: str
    branch: str | None
    follows: bool
    """With ``strategy: depend`` the job ends as the other pipeline does."""


@dataclass(frozen=True, slots=True)
class JobDefinition:
    """A job as the file declares it, for one pipeline."""

    name: str
    stage: str
    script: tuple[str, ...] = ()
    manual: bool = False
    allow_failure: bool = False
    environment: str | None = None
    environment_url: str | None = None
    trigger: Trigger | None = None
    resource_group: str | None = None
    artifacts: str | None = None
    """How long its files are kept; ``None`` where it has none."""
    dependencies: tuple[str, ...] | None = None
    """Whose files it gets; ``None`` is those of all earlier stages."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a pipeline consists of, the stages in order."""

    stages: tuple[str, ...]
    jobs: tuple[JobDefinition, ...]
    name: str | None
    inputs: dict[str, Any]


def documents(text: str) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """Split a CI file into its ``spec`` header, if it has one, and its configuration."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        parts = list(yaml.load_all(text, Loader=loader))
    except yaml.YAMLError as error:
        raise ConfigurationError(f"Invalid configuration format: {error}") from error
    header = parts.pop(0) if len(parts) > 1 and "spec" in (parts[0] or {}) else None
    if len(parts) != 1 or not isinstance(parts[0], dict):
        raise ConfigurationError("Invalid configuration format")
    return header, parts[0]


def configuration(
    text: str, *, inputs: Mapping[str, Any] | None, variables: Mapping[str, str]
) -> Configuration:
    """Read a CI file for one pipeline; raises ``ConfigurationError`` where there will be none."""
    header, body = documents(text)
    values = checked(header, inputs)
    body = interpolated(body, values)
    scope = {key: _scalar(value) for key, value in (body.get("variables") or {}).items()}
    scope.update(variables)
    workflow = body.get("workflow") or {}
    if "rules" in workflow and _matching(workflow["rules"], scope) is None:
        raise ConfigurationError("Pipeline filtered out by workflow rules.")
    stages = (".pre", *(body.get("stages") or DEFAULT_STAGES[1:-1]), ".post")
    jobs = [
        job
        for name, job_body in body.items()
        if name not in KEYWORDS and not name.startswith(".")
        if (job := _job(name, job_body, scope, stages)) is not None
    ]
    if not jobs:
        raise ConfigurationError(
            "Pipeline will not run for the selected trigger. The rules configuration prevented "
            "any jobs from being added to the pipeline."
        )
    name = workflow.get("name")
    jobs.sort(key=lambda job: stages.index(job.stage))
    return Configuration(stages, tuple(jobs), expanded(name, scope) if name else None, values)


def _job(
    name: str, body: Mapping[str, Any], variables: Mapping[str, str], stages: tuple[str, ...]
) -> JobDefinition | None:
    rule: Mapping[str, Any] | None = {}
    if "rules" in body:
        rule = _matching(body["rules"], variables)
    if rule is None or rule.get("when") == "never":
        return None
    stage = body.get("stage", "test")
    if stage not in stages:
        raise ConfigurationError(f"{name} job: chosen stage {stage} does not exist")
    manual = rule.get("when", body.get("when", "on_success")) == "manual"
    # A manual job under rules blocks its pipeline; a plain `when: manual` does not.
    optional = manual and "rules" not in body
    environment = body.get("environment") or {}
    if isinstance(environment, str):
        environment = {"name": environment}
    script = body.get("script") or []
    group = body.get("resource_group")
    return JobDefinition(
        name=name,
        stage=stage,
        script=(script,) if isinstance(script, str) else tuple(script),
        manual=manual,
        allow_failure=bool(rule.get("allow_failure", body.get("allow_failure", optional))),
        environment=expanded(environment["name"], variables) if environment else None,
        environment_url=environment.get("url"),
        trigger=_trigger(body.get("trigger"), variables),
        resource_group=expanded(group, variables) if group else None,
        artifacts=str(files.get("expire_in", "")) if (files := body.get("artifacts")) else None,
        dependencies=tuple(body["dependencies"]) if "dependencies" in body else None,
    )


def _trigger(body: str | Mapping[str, Any] | None, variables: Mapping[str, str]) -> Trigger | None:
    if body is None:
        return None
    if isinstance(body, str):
        body = {"project": body}
    branch = body.get("branch")
    return Trigger(
        project=expanded(body["project"], variables),
        branch=expanded(branch, variables) if branch else None,
        follows=body.get("strategy") in ("depend", "mirror"),
    )


def _matching(rules: list[Any], variables: Mapping[str, str]) -> Mapping[str, Any] | None:
    for rule in rules:
        if "if" not in rule or holds(rule["if"], variables):
            return dict(rule)
    return None


def expanded(text: str, variables: Mapping[str, str]) -> str:
    """Replace ``$NAME`` and ``${NAME}``; an unknown name stays as it is written."""
    return re.sub(
        r"\$(?:(\w+)|\{(\w+)\})",
        lambda found: variables.get(found[1] or found[2], found[0]),
        text,
    )


def _scalar(value: object) -> str:
    value = value.get("value", "") if isinstance(value, dict) else value
    return str(value).lower() if isinstance(value, bool) else str(value)
