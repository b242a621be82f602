"""Run hotfix, and save what each of its functions takes: ``profiling.py FILE ARGUMENT...``.

CPU with all that a function calls. It is the main thread's, whose wait for the others counts what
they use.
"""

import cProfile
import json
import sys
import time
from pathlib import Path
from types import CodeType

import hotfix
from hotfix.__main__ import main

profile = cProfile.Profile(time.process_time)
saved, root = Path(sys.argv.pop(1)), Path(hotfix.__file__).parent
try:
    profile.runcall(main)
finally:
    taken = []
    for each in profile.getstats():  # type: ignore[attr-defined]
        if isinstance(each.code, CodeType) and root in Path(each.code.co_filename).parents:
            file = str(Path(each.code.co_filename).relative_to(root))
            taken.append((file, each.code.co_name, each.callcount, each.totaltime))
    saved.write_text(json.dumps(taken), encoding="utf-8")
