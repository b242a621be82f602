"""The files of the example's projects: small services of the same make, and the orchestrator."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Final

from hotfix.sandbox.repositories import EXECUTABLE, SYMLINK, File

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ORCHESTRATOR_CI: Final = """\
spec:
  inputs:
    action:
      description: What shall happen to the release branch of the project.
      options:
        - deploy-release-branch-to-staging
        - bring-all-code-to-release-branch
    project:
      description: The project to release.
      options:
{projects}
    confirm:
      description: Nothing happens without it.
      type: boolean
      default: false
---
stages: [confirm, release]

confirm:
  stage: confirm
  script:
    - sandbox require "$[[ inputs.confirm ]]" "true"

deploy-release-branch-to-staging:
  stage: release
  rules:
    - if: '"$[[ inputs.action ]]" == "deploy-release-branch-to-staging"'
  trigger:
    project: $[[ inputs.project ]]
    branch: release

bring-all-code-to-release-branch:
  stage: release
  rules:
    - if: '"$[[ inputs.action ]]" == "bring-all-code-to-release-branch"'
  script:
    - sandbox merge-default-branch "$[[ inputs.project ]]" release
"""

INCIDENT_TEMPLATE: Final = """\
## Summary

<!-- What is broken, for whom, since when. -->

## Timeline

## Deployed fix

## Validation

## Follow-up

/label ~incident ~production
"""

SERVICE_CI: Final = """\
stages: [build, test, staging, production]

build:
  stage: build
  script:
    - make build

test:
  stage: test
  script:
    - make test

deploy-staging:
  stage: staging
  script:
    - ./scripts/deploy.sh staging
  environment:
    name: staging
    url: https://{slug}.staging.example.com

deploy-production:
  stage: production
  script:
    - ./scripts/deploy.sh production
  environment:
    name: production
    url: https://{slug}.example.com
  resource_group: production
  when: manual
{blocking}"""


def orchestrator(projects: Sequence[str]) -> dict[str, str | bytes | File]:
    """Make the files of the project that starts the others' release pipelines."""
    options = "\n".join(f"        - {project}" for project in projects)
    return {
        ".gitlab-ci.yml": ORCHESTRATOR_CI.format(projects=options),
        ".gitlab/issue_templates/incident.md": INCIDENT_TEMPLATE,
        "README.md": "# develop\n\nThe shared release pipelines, and the incident records.\n",
        "docs/release.md": "# Releases\n\nStart the guided pipeline; both gates are manual.\n",
    }


def service(
    slug: str, modules: Mapping[str, Sequence[str]], *, blocking: bool = True
) -> dict[str, str | bytes | File]:
    """Make the files of a service.

    ``modules`` names each Python module with its functions. With ``blocking`` the pipeline waits
    at the manual production job; else it counts as passed without it, which is what GitLab's plain
    ``when: manual`` does.
    """
    package = slug.replace("-", "_")
    ci = SERVICE_CI.format(slug=slug, blocking="  allow_failure: false\n" if blocking else "")
    files: dict[str, str | bytes | File] = {
        ".editorconfig": "root = true\n\n[*]\nindent_style = space\nend_of_line = lf\n",
        ".gitignore": "__pycache__/\n*.pyc\n.venv/\nbuild/\n",
        ".gitlab-ci.yml": ci,
        "CHANGELOG.md": "# Changelog\n\n## 1.0\n\n- The first release.\n",
        "Makefile": "build:\n\tpython -m build\n\ntest:\n\tpython -m pytest\n",
        "README.md": _readme(slug, modules),
        "config/current.yaml": File(b"default.yaml", SYMLINK),
        "config/default.yaml": config(slug),
        "config/production.yaml": "extends: default.yaml\nlogging:\n  level: warning\n",
        "config/staging.yaml": "extends: default.yaml\nlogging:\n  level: debug\n",
        "deploy/Chart.yaml": f"apiVersion: v2\nname: {slug}\nversion: 1.0.0\n",
        "deploy/templates/deployment.yaml": _manifest(slug),
        "deploy/values.yaml": f"image: registry.example.com/{slug}\nreplicas: 3\n",
        "docs/architecture.md": f"# Architecture of {slug}\n\nOne process, one database.\n",
        "docs/images/flow.png": _picture(slug),
        "docs/operations.md": "# Operations\n\nRestart it, watch the dashboard, write it down.\n",
        "pyproject.toml": f'[project]\nname = "{slug}"\nversion = "1.0.0"\n',
        "scripts/deploy.sh": File(_DEPLOY.encode(), EXECUTABLE),
        "scripts/migrate.sh": File(b"#!/bin/sh\nset -eu\nexec alembic upgrade head\n", EXECUTABLE),
        f"src/{package}/__init__.py": f'"""{slug}."""\n\n__version__ = "1.0.0"\n',
    }
    for name, functions in modules.items():
        files[f"src/{package}/{name}.py"] = module(name, functions)
        files[f"tests/test_{name.replace('/', '_')}.py"] = tests(package, name, functions)
    return files


def module(name: str, functions: Sequence[str], **bodies: str) -> str:
    """Write a module with these functions; ``bodies`` replaces what some of them do."""
    title = name.rpartition("/")[2].replace("_", " ")
    parts = [f'"""Everything about {title}."""\n\nfrom __future__ import annotations\n']
    for function in functions:
        body = bodies.get(function, f"return {{**event, {function!r}: True}}")
        lines = "\n".join(f"    {line}".rstrip() for line in body.splitlines())
        words = function.replace("_", " ").capitalize()
        parts.append(f'\n\ndef {function}(event: dict) -> dict:\n    """{words}."""\n{lines}\n')
    return "".join(parts)


def tests(package: str, name: str, functions: Sequence[str]) -> str:
    """Write the tests of a module."""
    path = f"{package}.{name.replace('/', '.')}"
    parts = [f"from {path} import {', '.join(functions)}\n"]
    parts += [
        f"\n\ndef test_{function}():\n    assert {function}({{}})[{function!r}]\n"
        for function in functions
    ]
    return "".join(parts)


def config(slug: str, **values: object) -> str:
    """Write the settings of a service; ``values`` replaces some, by ``section__key``."""
    settings: dict[str, dict[str, object]] = {
        "server": {"host": "0.0.0.0", "port": 8080, "workers": 4, "keep_alive": 15},  # noqa: S104 - text of an example
        "session": {"idle_timeout": 30, "grace": 5, "retries": 3, "backoff": 2},
        "database": {"pool": 10, "timeout": 5, "name": slug, "schema": "public"},
        "tariffs": {"currency": "EUR", "rounding": 2, "refresh": 3600, "source": "central"},
        "logging": {"level": "info", "format": "json", "sample": 100, "request_ids": True},
    }
    for name, value in values.items():
        section, _, key = name.partition("__")
        settings.setdefault(section, {})[key] = value
    parts = []
    for section, entries in settings.items():
        lines = "".join(f"  {key}: {_scalar(value)}\n" for key, value in entries.items())
        parts.append(f"{section}:\n{lines}")
    return "\n".join(parts)


def _scalar(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _readme(slug: str, modules: Mapping[str, Sequence[str]]) -> str:
    lines = "".join(f"- `{name}`: {', '.join(functions)}\n" for name, functions in modules.items())
    return f"# {slug}\n\nA service of the example.\n\n## Modules\n\n{lines}"


def _manifest(slug: str) -> str:
    return (
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {slug}\nspec:\n"
        f"  replicas: {{{{ .Values.replicas }}}}\n  template:\n    spec:\n      containers:\n"
        f"        - name: {slug}\n          image: {{{{ .Values.image }}}}\n"
    )


def _picture(slug: str) -> bytes:
    """Draw a one-pixel PNG whose colour comes of the name: small, and truly binary."""
    colour = zlib.crc32(slug.encode()).to_bytes(4, "big")[:3]
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)),
        # Stored, not compressed: the bytes must not depend on the zlib at hand.
        (b"IDAT", _stored(b"\0" + colour)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def _stored(data: bytes) -> bytes:
    size = struct.pack("<HH", len(data), 0xFFFF - len(data))
    return b"\x78\x01\x01" + size + data + struct.pack(">I", zlib.adler32(data))


_DEPLOY: Final = """\
#!/bin/sh
set -eu
environment=$1
helm upgrade --install --values "deploy/values.yaml" --set environment="$environment" app deploy
"""
