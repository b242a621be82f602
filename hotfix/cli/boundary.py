"""The error boundary: whatever happens below becomes a sentence, a hint and an exit code."""

from __future__ import annotations

import os
import sys
import traceback
from itertools import pairwise
from typing import TYPE_CHECKING

import click

from hotfix.cli import exits
from hotfix.cli.redaction import keep_environment_secret
from hotfix.cli.screen import Screen
from hotfix.errors import HotfixError, InputError, InterruptedRunError
from hotfix.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def guarded(work: Callable[[], int], arguments: Sequence[str]) -> int:
    """Run a command and return its exit code; every refusal is shown as the contract says."""
    keep_environment_secret()
    screen = _screen_of(arguments)
    try:
        code = work()
        sys.stdout.flush()
    except HotfixError as error:
        return refuse(screen, error)
    except click.ClickException as error:
        return refuse(screen, _usage(error))
    except (click.Abort, KeyboardInterrupt):
        hint = "The same command goes on where it stopped."
        return refuse(screen, InterruptedRunError("interrupted", "Stopped at once.", hint=hint))
    except BrokenPipeError:
        # Whoever read us has gone. Python would complain once more when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exits.FAILED
    except Exception as error:  # noqa: BLE001  (the boundary: a defect shall read like one)
        return _defect(screen, error)
    else:
        return code


def refuse(screen: Screen, error: HotfixError) -> int:
    """Show a refusal: on standard error, or as the one document of ``--format json``."""
    code = exits.exit_code(error)
    if screen.format == "json":
        from hotfix.views.json_documents import dumped, refusal  # noqa: PLC0415  (loads models)

        screen.out(dumped(refusal(error, code)))
    show(screen, error)
    return code


def show(screen: Screen, error: HotfixError) -> None:
    """Write ``error[<code>]: <sentence>`` and the hint below it to standard error."""
    message = printable(error.message, keep_newlines=True)
    hint = "".join(f"  {line}\n" for line in printable(error.hint, keep_newlines=True).splitlines())
    label = f"error[{printable(error.code)}]"
    if screen.colour(sys.stderr):
        label = f"\x1b[1;31m{label}\x1b[0m"
    notes = "".join(f"  {printable(note)}\n" for note in getattr(error, "__notes__", ()))
    screen.err(f"{label}: {message}\n{_results(error)}{hint}{notes}")


def _results(error: HotfixError) -> str:
    """Write how each of several targets ended, between the sentence and the hint."""
    if not error.results:
        return ""
    from hotfix.views.results_text import results_lines  # noqa: PLC0415  (few errors have any)

    lines = results_lines(error.results, told=error.message)
    return "".join(f"  {printable(line)}\n" for line in ("", *lines, ""))


def _usage(error: click.ClickException) -> InputError:
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "hotfix"
    message = error.format_message().rstrip(".") + "."
    return InputError("usage", message, hint=f"See `{path} --help`.")


def _defect(screen: Screen, error: Exception) -> int:
    """Tell a defect in a sentence; the way there only where it was asked for, and redacted."""
    if screen.verbose:
        screen.err("".join(traceback.format_exception(error)))
    said = printable(f"{type(error).__name__}: {error}")
    sentence = f"This is a defect of hotfix: {said}"
    hint = (
        "What was begun is in the lockfile, and the same command goes on. Report it with the "
        "output of the same command and --verbose."
    )
    if screen.format == "json":
        from hotfix.views.json_documents import dumped  # noqa: PLC0415  (loads models)

        document = {"exit_code": exits.DEFECT, "code": "defect", "message": sentence, "hint": hint}
        screen.out(dumped(document))
    show(screen, HotfixError("defect", sentence, hint=hint))
    return exits.DEFECT


def _screen_of(arguments: Sequence[str]) -> Screen:
    """Read from the bare arguments how errors shall be shown, since parsing may be what fails."""
    wants_json = "--format=json" in arguments or ("--format", "json") in pairwise(arguments)
    return Screen(
        "json" if wants_json else "text",
        verbose=bool({"-v", "--verbose"} & set(arguments)),
        no_color="--no-color" in arguments,
    )
