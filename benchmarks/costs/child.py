"""Run one command and print its exit code, wall, CPU and peak memory: ``child.py COMMAND...``.

A process begins with the peak memory of the one that started it. This one is small, so that the
figure is the command's.
"""

import os
import sys
import time

begun = time.perf_counter()
to_stderr = [(os.POSIX_SPAWN_DUP2, 2, 1)]
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=to_stderr)
_, status, usage = os.wait4(pid, 0)
wall = time.perf_counter() - begun
code = os.waitstatus_to_exitcode(status)
print(code, wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
