"""Starts what the user wrote: a script, a package with a setup.py, or a shell script."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Callable, ContextManager, Iterator, List, Mapping, Optional

from clary.toolkit import packages, script
from clary.toolkit.environment import TrainingEnvironment
from clary.toolkit.errors import ClientError, ExecuteUserScriptError
from clary.toolkit.logs import get_logger
from clary.toolkit.packages import Layer
from clary.toolkit.script import Outcome
from clary.toolkit.tail import Tail, copy_through

Launch = Callable[[List[str]], ContextManager[List[str]]]
"""Given the script's command, what is run in its place while the context is open: torchrun, mpirun."""

_OUT_OF_MEMORY = "OutOfMemory: Process killed by SIGKILL (signal 9)"
_KILLED = 137


def run(environment: TrainingEnvironment, environ: Mapping[str, str], launch: Optional[Launch] = None) -> None:
    """Run the program that `sagemaker_program` names, with the hyperparameters as its arguments.

    Raises ExecuteUserScriptError, InstallRequirementsError, InstallModuleError or ClientError.
    """
    program = environment.program
    if not program:
        raise ClientError("No entry point: the hyperparameter sagemaker_program is missing.")
    path = _find(environment.layout.code, program)
    if path.suffix == ".sh" or not (path.suffix == ".py" or _is_package(environment.layout.code)):
        _launched(_shell(path, environment), launch, environment, environ)
    elif _is_package(environment.layout.code):
        layer = packages.install_module(environment.layout.code, environ)
        command = [str(layer.python), "-m", _module(program), *environment.arguments]
        _launched(command, launch, environment, environ)
    else:
        _python(path, environment, environ, launch)


def _find(code: Path, program: str) -> Path:
    path = code / program
    if not path.exists() and not _is_package(code):
        raise ClientError(f"can't open file '{path}': [Errno 2] No such file or directory")
    return path


def _is_package(code: Path) -> bool:
    return (code / "setup.py").is_file()


def _module(program: str) -> str:
    return (program[:-3] if program.endswith(".py") else program).replace("/", ".")


def _python(path: Path, environment: TrainingEnvironment, environ: Mapping[str, str], launch: Optional[Launch]) -> None:
    layer = _requirements(environment.layout.code, environ)
    python = str(layer.python) if layer else sys.executable
    command = [python, environment.program or "", *environment.arguments]
    if layer or launch:
        _launched(command, launch, environment, environ)
    else:
        _announce(command, environment)
        _check(command, _in_fork(path, environment, environ))


def _launched(
    command: List[str], launch: Optional[Launch], environment: TrainingEnvironment, environ: Mapping[str, str]
) -> None:
    """Run the command in a process of its own, or what `launch` makes of it."""
    with (launch or _as_it_is)(command) as launched:
        _announce(launched, environment)
        _check(launched, _spawn(launched, environment, {**environ, "PATH": path_of(command, environ)}))


@contextlib.contextmanager
def _as_it_is(command: List[str]) -> Iterator[List[str]]:
    yield command


def _requirements(code: Path, environ: Mapping[str, str]) -> Optional[Layer]:
    """The layer that holds what requirements.txt asks for; None where nothing had to be installed."""
    requirements = packages.requirements_in(code)
    if requirements is None:
        return None
    get_logger().info("Installing dependencies from requirements.txt")
    layer = packages.install_requirements(requirements, environ)
    return None if layer.empty() else layer


def _in_fork(path: Path, environment: TrainingEnvironment, environ: Mapping[str, str]) -> Outcome:
    code = str(environment.layout.code)
    os.chdir(code)
    os.environ.update(environment.variables())
    os.environ["PYTHONPATH"] = packages.python_path(environ, code)
    if code not in sys.path:
        sys.path.insert(0, code)
    return script.run(path, environment.arguments)


def path_of(command: List[str], environ: Mapping[str, str]) -> str:
    """PATH for a command: programs beside its Python come first."""
    python = Path(command[0])
    inherited = environ.get("PATH", os.defpath)
    return os.pathsep.join([str(python.parent), inherited]) if python.name.startswith("python") else inherited


def _spawn(command: List[str], environment: TrainingEnvironment, environ: Mapping[str, str]) -> Outcome:
    code = str(environment.layout.code)
    env = {**environ, **environment.variables(), "PYTHONPATH": packages.python_path(environ, code)}
    tail = Tail()
    with subprocess.Popen(command, cwd=code, env=env, stderr=subprocess.PIPE) as process:
        before = signal.signal(signal.SIGTERM, lambda number, _frame: process.send_signal(number))
        try:
            copy_through(process.stderr, tail)
            code_ = process.wait()
        finally:
            signal.signal(signal.SIGTERM, before)
    return Outcome(128 - code_ if code_ < 0 else code_, tail.reason() if code_ else "")


def _shell(path: Path, environment: TrainingEnvironment) -> List[str]:
    """The program itself; by /bin/sh where it does not say which interpreter it is for."""
    path.chmod(path.stat().st_mode | stat.S_IRWXU | stat.S_IRWXG | stat.S_IRWXO)
    command = [str(path), *environment.arguments]
    with path.open("rb") as file:
        head = file.read(4)
    return command if head.startswith((b"#!", b"\x7fELF")) else ["/bin/sh", *command]


def _check(command: List[str], outcome: Outcome) -> None:
    if outcome.code == 0:
        return
    extra = _OUT_OF_MEMORY if outcome.code == _KILLED else None
    raise ExecuteUserScriptError(" ".join(command), outcome.code, outcome.message, extra)


def _announce(command: List[str], environment: TrainingEnvironment) -> None:
    variables = "\n".join(f"{name}={value}" for name, value in environment.variables().items())
    get_logger().info(
        "Invoking user script\n\nTraining Env:\n\n%s\n\nEnvironment variables:\n\n%s\n\n"
        "Invoking script with the following command:\n\n%s\n\n",
        json.dumps(environment.snapshot(), indent=4),
        variables,
        " ".join(command),
    )
