"""Documents to the complete value: spec's target, then spec, then defaults, then built in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotfix.errors import InputError
from hotfix.spec.document import DefaultsDocument, SingleDocument, TargetDocument
from hotfix.spec.model import (
    Committer,
    Deploy,
    Incident,
    MergeRequestRef,
    Orchestration,
    Spec,
    Target,
    TargetOrchestration,
)
from hotfix.spec.policy_document import first, resolve_policy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotfix.spec.document import (
        SpecDocument,
        TargetOrchestrationDocument,
    )
    from hotfix.spec.model import InputValue, LockKind, PickOrder

RELEASE_BRANCH = "release"
ENVIRONMENT = "production"
RESTORE_MESSAGE = "fix: restore release to last production state"
ACTION = "deploy-release-branch-to-staging"
PROJECT_VALUE = "{path}"
INCIDENT_TEMPLATE = "incident"
COMMITTER_NAME = "hotfix"
LOCK: LockKind = "ref"
ORDER: PickOrder = "merged"


def resolve(document: SpecDocument, defaults: DefaultsDocument | None, *, host: str) -> Spec:
    """Fill every key that the documents leave out.

    ``host`` is the GitLab's, without its port, for the built-in committer's address. Raises
    ``InputError`` where nobody says in which project the guided pipeline runs.
    """
    layers = (document, defaults or DefaultsDocument(version=1))
    orchestration = _orchestration(layers)
    return Spec(
        version=1,
        id=document.id,
        title=document.title,
        targets=tuple(_target(target, layers) for target in _targets(document)),
        orchestration=orchestration,
        incident=_incident(layers, orchestration.project),
        committer=Committer(
            name=first(*(layer.committer.name for layer in layers)) or COMMITTER_NAME,
            email=first(*(layer.committer.email for layer in layers)) or f"hotfix@noreply.{host}",
        ),
        requested_at=document.requested_at,
        policy=resolve_policy(*layers),
    )


_Layers = tuple["SpecDocument", DefaultsDocument]


def _targets(document: SpecDocument) -> Sequence[SingleDocument | TargetDocument]:
    return (document,) if isinstance(document, SingleDocument) else document.targets


def _target(target: SingleDocument | TargetDocument, layers: _Layers) -> Target:
    settings = (target, *layers)
    return Target(
        project=target.project,
        production_sha=target.production_sha,
        merge_requests=tuple(_merge_request(key, target.project) for key in target.merge_requests),
        smoke_checks=target.smoke_checks,
        release_branch=first(*(level.release_branch for level in settings)) or RELEASE_BRANCH,
        environment=first(*(level.environment for level in settings)) or ENVIRONMENT,
        restore_message=first(*(level.restore_message for level in settings)) or RESTORE_MESSAGE,
        order=target.order or ORDER,
        resolutions=target.resolutions or (),
        orchestration=_target_orchestration(
            target.project, [level.orchestration for level in settings]
        ),
        deploy=Deploy(job=first(*(level.deploy.job for level in settings))),
        after=target.after or (),
        merge_attributes=first(*(level.merge_attributes for level in settings)),
        lock=first(*(level.lock for level in settings)) or LOCK,
        production_version=target.production_version,
    )


def _merge_request(key: int | str, project: str) -> MergeRequestRef:
    if isinstance(key, int):
        return MergeRequestRef(project=project, iid=key)
    path, _, iid = key.rpartition("!")
    return MergeRequestRef(project=path, iid=int(iid))


def _target_orchestration(
    project: str, levels: Sequence[TargetOrchestrationDocument]
) -> TargetOrchestration:
    inputs: dict[str, InputValue] = {"action": ACTION, "project": "", "confirm": True}
    for level in reversed(levels):
        inputs.update(level.inputs)
    # The input `project` and `project_value` are two spellings of one thing; the nearest counts.
    named = (level.project_value or level.inputs.get("project") for level in levels)
    value = first(*named) or PROJECT_VALUE
    rendered = str(value).replace("{path}", project).replace("{name}", project.rpartition("/")[2])
    return TargetOrchestration(project_value=str(value), inputs={**inputs, "project": rendered})


def _orchestration(layers: _Layers) -> Orchestration:
    levels = [layer.orchestration for layer in layers]
    project = first(*(level.project for level in levels))
    if project is None:
        raise InputError("invalid-spec", NO_ORCHESTRATION[0], hint=NO_ORCHESTRATION[1])
    return Orchestration(
        project=project,
        ref=first(*(level.ref for level in levels)),
        send_as=first(*(level.send_as for level in levels)) or "inputs",
        operation_input=first(*(level.operation_input for level in levels)),
    )


def _incident(layers: _Layers, orchestration_project: str) -> Incident:
    levels = [layer.incident for layer in layers]
    # Whoever is nearest and says `iid` or `create` decides between the two.
    deciding = next((level for level in levels if level.iid or level.create), None)
    iid = deciding.iid if deciding else None
    return Incident(
        project=first(*(level.project for level in levels)) or orchestration_project,
        iid=iid,
        create=iid is None,
        template=(first(*(level.template for level in levels)) or INCIDENT_TEMPLATE)
        if iid is None
        else None,
        severity=first(*(level.severity for level in levels)),
        labels=first(*(level.labels for level in levels)) or (),
        assignees=first(*(level.assignees for level in levels)) or (),
        follow_ups=first(*(level.follow_ups for level in levels)) or (),
    )


NO_ORCHESTRATION = (
    "nobody says in which project the guided pipeline runs",
    "Set `orchestration: {project: evenergi/develop}` here or in defaults.yaml.",
)
