"""``hotfix init``: a spec from live facts; writes the spec and nothing else."""
# ruff: noqa: PLC0415  (loaded when the command runs, so that --help and completion stay light)

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hotfix.cli import exits, options
from hotfix.errors import InputError
from hotfix.identifiers import PROJECT_PATTERN, ZERO

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hotfix.cli.screen import Screen
    from hotfix.plan.model import SourceOfSha
    from hotfix.spec.document import DefaultsDocument
    from hotfix.spec.model import Target
    from hotfix.spec.write import NewTarget

_NOT_NAMED_YET = Path("plans", "new", "hotfix.yaml")
_IID = r"([1-9][0-9]{0,8})"


@click.command("init")
@click.argument("merge_requests", metavar="MERGE_REQUEST...", nargs=-1, required=True)
@click.option("--project", metavar="PATH", help="The project of merge requests given by number.")
@click.option("--id", "name", metavar="ID", help="The hotfix's id; proposed when left out.")
@click.option("--title", metavar="TEXT", help="Its title; the first merge request's else.")
@click.option(
    "--orchestration", metavar="PATH", help="Where the guided pipeline runs; else the defaults say."
)
@click.option(
    "-o",
    "--out",
    type=options.FILE,
    metavar="FILE",
    help="Write the spec here; else to plans/ID/hotfix.yaml. Nothing is overwritten.",
)
@options.gitlab
@options.screen("text", "json")
def command(
    screen: Screen,
    *,
    merge_requests: tuple[str, ...],
    project: str | None,
    name: str | None,
    title: str | None,
    orchestration: str | None,
    out: Path | None,
    gitlab: str | None,
) -> int:
    """Write a spec from live facts.

    A MERGE_REQUEST is a number (with --project), group/project!812 or its address. What
    production runs is written only where all sources agree on it; else exit 4, with what each
    of them says, and nothing is written.
    """
    from hotfix.cli.connection import connect, environment_gitlab
    from hotfix.clock import SystemClock
    from hotfix.plan.propose import propose
    from hotfix.spec.load import load_defaults
    from hotfix.spec.rules import ID_PATTERN
    from hotfix.spec.write import proposed_id, proposed_title, spec_text

    if name is not None and not re.fullmatch(ID_PATTERN, name):
        raise click.BadParameter("write lower-case letters, digits and `-`.", param_hint="--id")
    defaults = load_defaults(out or _NOT_NAMED_YET)
    team = defaults.gitlab if defaults else None
    forge = connect(gitlab or team or environment_gitlab())
    asked = _grouped(merge_requests, project, forge.url)
    targets = _targets(asked, defaults, orchestration)
    proposals = propose(targets, forge, SystemClock())
    first = proposals[0][0].merge_requests[0]
    name = name or proposed_id(first)
    path = out or Path("plans", name, "hotfix.yaml")
    text = spec_text(
        name,
        title or proposed_title(first),
        [target for target, _ in proposals],
        gitlab=forge.url if gitlab and team != forge.url else None,
        orchestration=orchestration,
    )
    _write(path, text)
    return _show(screen, path, name, proposals)


def _grouped(
    given: Sequence[str], project: str | None, gitlab: str
) -> Mapping[str, tuple[int, ...]]:
    """Read merge requests however they are named; by project, in the order given, each once."""
    found: dict[str, dict[int, None]] = {}
    for text in given:
        path, iid = _merge_request(text, project, gitlab)
        found.setdefault(path, {})[iid] = None
    return {path: tuple(iids) for path, iids in found.items()}


def _merge_request(text: str, project: str | None, gitlab: str) -> tuple[str, int]:
    if "://" in text:
        page = re.fullmatch(rf"(.+?)/-/merge_requests/{_IID}(?:[/?#].*)?", text)
        path = page[1].removeprefix(f"{gitlab}/") if page else ""
        if page is None or path == page[1]:
            raise _unknown(text, f"Give the address of a merge request on {gitlab}.")
        iid = page[2]
    else:
        short = re.fullmatch(rf"(.*?)!?{_IID}", text)
        path, iid = (short[1] or project or "", short[2]) if short else ("", "")
        if not path:
            raise _unknown(text, "Give its number with --project PATH, or `group/project!812`.")
    if not re.fullmatch(PROJECT_PATTERN, path):
        raise _unknown(text, "A project is written as its full path, such as group/project.")
    return path, int(iid)


def _unknown(text: str, hint: str) -> InputError:
    from hotfix.text import one_line

    return InputError(
        "unknown-merge-request", f"{one_line(text, 120)} names no merge request here.", hint=hint
    )


def _targets(
    asked: Mapping[str, tuple[int, ...]],
    defaults: DefaultsDocument | None,
    orchestration: str | None,
) -> tuple[Target, ...]:
    """Fill in what the team's defaults say; the SHA and the checks are not known yet."""
    from pydantic import ValidationError

    from hotfix.spec.document import OrchestrationDocument, TargetDocument, TargetsDocument
    from hotfix.spec.load import NEUTRAL_HOST
    from hotfix.spec.model import ManualCheck, SmokeCheck
    from hotfix.spec.resolve import NO_ORCHESTRATION, resolve

    if orchestration is None and (defaults is None or defaults.orchestration.project is None):
        raise InputError(
            "no-orchestration",
            f"{NO_ORCHESTRATION[0].capitalize()}.",
            hint="Give `--orchestration PATH`, or set `orchestration: {project: PATH}` in a "
            "defaults.yaml.",
        )
    check = SmokeCheck(name="none yet", manual=ManualCheck(question="none yet"))
    try:
        document = TargetsDocument(
            version=1,
            id="new",
            title="new",
            orchestration=OrchestrationDocument(project=orchestration),
            targets=tuple(
                TargetDocument(
                    project=project,
                    production_sha=ZERO,
                    merge_requests=iids,
                    smoke_checks=(check,),
                )
                for project, iids in asked.items()
            ),
        )
    except ValidationError as error:
        context: dict[str, Any] = error.errors(include_url=False)[0].get("ctx", {})
        sentence = str(context.get("sentence", "a project's path cannot be used"))
        raise InputError("usage", f"{sentence.capitalize()}.", hint="See its --help.") from None
    return resolve(document, defaults, host=NEUTRAL_HOST).targets


def _write(path: Path, text: str) -> None:
    """Write the spec where nothing is, and take it back should it not be valid there."""
    from hotfix.files import write_new
    from hotfix.spec.load import load_spec

    if path.exists():
        raise _exists(path)
    try:
        write_new(path, text.encode())
    except FileExistsError:
        raise _exists(path) from None
    except OSError as error:
        raise InputError(
            "file-not-written", f"{path}: {error.strerror}.", hint="Name another place with --out."
        ) from error
    try:
        load_spec(path, gitlab=None)
    except InputError:
        path.unlink()
        raise


def _exists(path: Path) -> InputError:
    return InputError(
        "file-exists",
        f"{path} is there already, and is left as it is.",
        hint="Give another --id, or another place with --out.",
    )


def _show(
    screen: Screen,
    path: Path,
    name: str,
    proposals: Sequence[tuple[NewTarget, Sequence[SourceOfSha]]],
) -> int:
    if screen.format == "json":
        from hotfix.views.json_documents import dumped, init_document

        screen.out(dumped(init_document(path, name, proposals)))
        return exits.DONE
    screen.out(f"Wrote {path}.\n")
    if screen.quiet:
        return exits.DONE
    from hotfix.text import printable

    for target, sources in proposals:
        screen.out(f"\n{target.project}\n  production runs {target.production_sha}\n")
        for source in sources:
            screen.out(f"    {source.source}: {printable(source.detail)}\n")
        for each in target.merge_requests:
            if each.state != "merged":
                state = f"!{each.iid} is {printable(each.state)}, not merged"
                screen.err(f"warning: {state}: a plan of it is blocked.\n")
    command = shlex.join(["hotfix", "plan", str(path)])
    screen.out(f"\nRead it, and replace its smoke check. Then:\n    {command}\n")
    return exits.DONE
