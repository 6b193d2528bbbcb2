"""Runs programs as a Python of their own would, but what they import first is loaded once: each is a fork of this
process.

Is given the modules to load. Reads a line of JSON for each program, what `run` takes, and answers with a line: its exit
status, which is that of SIGALRM where it has taken longer.
"""

import importlib
import json
import os
import runpy
import signal
import sys
import traceback

ANSWERS = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what the SDK says while it is loaded is no answer


def main():
    for module in sys.argv[1:]:
        importlib.import_module(module)
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if not child:
            run(**asked)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), file=ANSWERS, flush=True)


def run(program, output, errors, seconds):
    """The program as `__main__`, in its own folder; does not return. What the SDK has left to its threads is not waited
    for: they look for the failure of what has succeeded."""
    for number, path in (1, output), (2, errors):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
    signal.alarm(seconds)
    folder = os.path.dirname(program)
    os.chdir(folder)
    sys.argv, sys.path[0] = [program], folder
    status = 0
    try:
        runpy.run_path(program, run_name="__main__")
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


main()
