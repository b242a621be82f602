"""The command ``hotfix``."""

from __future__ import annotations

import gc
import sys

from hotfix import __version__

_GARBAGE = (50_000, 20, 20)
"""When the collector looks for garbage. An import leaves thousands of objects that stay; looking
through them time and again, as Python does by default, is an eighth of what a plan costs."""


def main(arguments: list[str] | None = None) -> int:
    """Run a command line and return its exit code; the version is told before anything loads."""
    if arguments is None:
        arguments = sys.argv[1:]
    if arguments == ["--version"]:
        print(f"hotfix {__version__}")  # noqa: T201  (the one answer that needs no screen)
        return 0
    gc.set_threshold(*_GARBAGE)
    from hotfix.cli.app import run  # noqa: PLC0415  (see above)

    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
