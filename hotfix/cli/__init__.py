"""The command line: one file per command; questions, exit codes and the environment live here.

The modules of commands load nothing heavy until their command runs, so that ``--help`` and shell
completion answer at once.
"""
