"""The example hotfix of the sandbox: spec and defaults as an operator would write them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hotfix.cli.documents import write

if TYPE_CHECKING:
    from pathlib import Path

    from hotfix.sandbox import Sandbox

PROJECT = "evenergi/bf-manage-core"

_DEFAULTS = """\
# What a team sets once for all its hotfixes.
version: 1
gitlab: {gitlab}
orchestration:
  project: evenergi/develop
"""

_SPEC = """\
version: 1
id: inc-1042-ocpp-timeout
title: OCPP heartbeats are dropped after 30 s
project: {project}
production_sha: {production}
merge_requests: [812, 815]
smoke_checks:
  - name: health
    http: {{url: "{health}", status: 200, json: {{status: ok}}}}
  - name: port
    tcp: {{host: {host}, port: {port}}}
  - name: dashboard
    manual: {{question: Do the chargers on the dashboard stay connected?}}
"""


def write_example(sandbox: Sandbox, folder: Path) -> Path:
    """Write ``defaults.yaml`` and the spec into a folder that exists; returns the spec's path."""
    place = urlsplit(sandbox.url)
    spec = _SPEC.format(
        project=PROJECT,
        production=sandbox.world.production_sha(PROJECT),
        health=f"{sandbox.url}/-/services/{PROJECT}/health",
        host=place.hostname,
        port=place.port,
    )
    path = folder / "hotfix.yaml"
    write(folder / "defaults.yaml", _DEFAULTS.format(gitlab=sandbox.url).encode())
    write(path, spec.encode())
    return path
