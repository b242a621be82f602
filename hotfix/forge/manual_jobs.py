"""Whether a job waits for a person, which only GitLab's GraphQL API tells.

REST shows a status: a job that started by itself and one that somebody pressed look the same once
they run (GitLab: GraphQL reference, ``CiJob.manualJob``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hotfix.forge.protocol import ForgeError

if TYPE_CHECKING:
    from hotfix.forge.api import Api

_READ: Final = """\
query job($project: ID!, $job: JobID!) {
  project(fullPath: $project) { job(id: $job) { manualJob } }
}"""
_SAID: Final = 200
"""GraphQL's own refusals come with it."""


def is_manual(api: Api, project: str, job_id: int) -> bool | None:
    """Tell whether a job is manual by its definition, pressed or not.

    ``None`` where this GitLab has no such field, or shows the token no such job.
    """
    variables = {"project": project, "job": f"gid://gitlab/Ci::Build/{job_id}"}
    try:
        shown = api.query(_READ, variables).maybe_child("project")
    except ForgeError as error:
        if error.code != "gitlab-refused" or error.status not in {_SAID, 403, 404}:
            raise
        return None
    job = shown.maybe_child("job") if shown else None
    return job.maybe_flag("manualJob") if job else None
