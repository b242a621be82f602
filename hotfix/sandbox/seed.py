"""The example world: a group of services, their releases, and a production that needs a hotfix.

Its past is fixed, so its commit ids never change. Each service lives on another of GitLab's merge
methods; ``STORIES`` says which merge request is which.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hotfix.sandbox import seed_files, seed_stories
from hotfix.sandbox.builder import WorldBuilder
from hotfix.sandbox.seed_stories import TARGETS, People
from hotfix.sandbox.users import DEVELOPER, MAINTAINER, REPORTER

if TYPE_CHECKING:
    from hotfix.clock import Clock
    from hotfix.sandbox.world import World

__all__ = ["ORCHESTRATOR", "TARGETS", "TOKENS", "example"]

ORCHESTRATOR: Final = "evenergi/develop"

# Made up, of the right shape, and longer than any real one's entropy needs.
TOKENS: Final = {
    "operator": "glpat-sandbox-operator-0001",
    "author": "glpat-sandbox-author-0002",
    "reviewer": "glpat-sandbox-reviewer-0003",
    "reader": "glpat-sandbox-reader-0004",
    "outsider": "glpat-sandbox-outsider-0005",
    "operator-readonly": "glpat-sandbox-operator-readonly-0006",
}
"""Tokens by what they are for: ``operator`` may do all of it, ``author`` may not push to
``release``, ``reader`` and ``operator-readonly`` only read, ``outsider`` sees nothing."""


def example(clock: Clock | None = None, pace: float = 0.05) -> World:
    """Build the example; from its end on, ``clock`` is the time and a job runs ``pace`` seconds."""
    builder = WorldBuilder()
    people = People(
        operator=builder.user("operator", "Olive Operator"),
        author=builder.user("author", "Arthur Author"),
        reviewer=builder.user("reviewer", "Rita Reviewer"),
        reader=builder.user("reader", "Rhea Reader"),
    )
    outsider = builder.user("outsider", "Otto Outsider")
    reading = ("read_api", "read_repository")
    builder.token(TOKENS["operator"], people.operator, "api", "write_repository")
    builder.token(TOKENS["author"], people.author, "api", "write_repository")
    builder.token(TOKENS["reviewer"], people.reviewer, "api", "write_repository")
    builder.token(TOKENS["reader"], people.reader, *reading)
    builder.token(TOKENS["outsider"], outsider, "api", "write_repository")
    builder.token(TOKENS["operator-readonly"], people.operator, *reading)
    group = builder.group(
        "evenergi",
        {
            people.operator: MAINTAINER,
            people.author: DEVELOPER,
            people.reviewer: DEVELOPER,
            people.reader: REPORTER,
        },
    )
    orchestrator = builder.project(
        group,
        ORCHESTRATOR.rpartition("/")[2],
        seed_files.orchestrator(TARGETS),
        creator=people.operator,
        description="Shared release pipelines and incidents",
    )
    seed_stories.incidents(builder, orchestrator, people)
    for tell in seed_stories.STORIES.values():
        tell(builder, group, orchestrator, people)
    return builder.finish(clock, pace)
