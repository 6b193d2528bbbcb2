"""Runs programs as a Python of their own would, but the SDK is loaded once: each is a fork of this process.

Reads a line of JSON for each program, {"program": path, "output": path}, and answers with a line: its exit status.
"""

import json
import os
import runpy
import sys
import traceback

ANSWERS = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what the SDK says while it is loaded is no answer

import pandas  # noqa: E402, F401  what programs load first
import sagemaker  # noqa: E402, F401


def main():
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if not child:
            run(asked["program"], asked["output"])
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), file=ANSWERS, flush=True)


def run(program, output):
    """The program as `__main__`, in its own folder; does not return. What the SDK has left to its threads is not waited
    for: they look for the failure of what has succeeded."""
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(file, 1)
    os.dup2(file, 2)
    folder = os.path.dirname(program)
    os.chdir(folder)
    sys.argv, sys.path[0] = [program], folder
    status = 0
    try:
        runpy.run_path(program, run_name="__main__")
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


main()
