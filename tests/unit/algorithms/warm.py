"""Run by an environment's Python: forks for each program that a line of standard input names, all libraries imported.

As Clary's warm parents do; a test need not wait for the imports.
"""

import json
import os
import runpy
import sys
from importlib import import_module


def run(program, args, log, env):
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = [program, *args]
    if program.endswith(".py"):
        runpy.run_path(program, run_name="__main__")
    else:
        runpy.run_module(program, run_name="__main__")


def code_of(job):
    """How the program ended."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            run(**job)
            code = 0
        except SystemExit as ending:
            code = ending.code if isinstance(ending.code, int) else 1
        finally:
            sys.stdout.flush()
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


for name in sys.argv[1:]:
    import_module(name)
for line in sys.stdin:
    print(code_of(json.loads(line)), flush=True)
