"""Import what a file lists, and end: ``imports.py FILE``."""

import gc
import importlib
import sys
from contextlib import suppress
from pathlib import Path

from hotfix.__main__ import _GARBAGE  # the collector as the command has it

gc.set_threshold(*_GARBAGE)
for name in Path(sys.argv[1]).read_text(encoding="utf-8").splitlines():
    with suppress(ImportError):  # some modules are made by others, and have no file
        importlib.import_module(name)
