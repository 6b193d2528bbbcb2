"""The command `clary`. Each command is a function in the file of this folder that bears its name, and is read only when
it is given: `clary up` does not pay for what `clary logs` needs."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Sequence
from importlib.machinery import ExtensionFileLoader
from typing import Annotated

import typer

from clary import __version__
from clary.errors import ClaryError

COMMANDS = (
    "up",
    "down",
    "env",
    "run",
    "demo",
    "status",
    "logs",
    "show",
    "export",
    "shell",
    "interrupt",
    "images",
    "hooks",
    "coverage",
    "reset",
)
"""In the order in which a newcomer meets them."""


def program(arguments: Sequence[str]) -> typer.Typer:
    """The command line for these arguments: with the one command they name, or with all where help is shown."""
    app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
    app.callback()(clary)
    for name in _needed(arguments[0] if arguments else ""):
        command = getattr(importlib.import_module(f"clary.cli.{name}"), name)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name)(command)
    return app


def _needed(first: str) -> Sequence[str]:
    if first == "--version":
        return COMMANDS[:1]  # Typer wants one
    return (first,) if first in COMMANDS else COMMANDS


def _version(asked: bool) -> None:
    if asked:
        print(f"clary {__version__}{', its edge compiled' if _edge_is_compiled() else ''}")
        raise typer.Exit


def _edge_is_compiled() -> bool:
    """Whether this was installed from the wheel of `make wheel` (docs/decisions/0063)."""
    found = importlib.util.find_spec("clary.edge.connection")
    return found is not None and isinstance(found.loader, ExtensionFileLoader)


def clary(
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")] = False,
) -> None:
    """Amazon SageMaker on your own machine.

    Start it with `clary up`, then `eval "$(clary env)"` in another shell, and run any SageMaker program there.
    """


def main() -> None:
    """What a person can mend is one line on standard error and exit code 1."""
    try:
        program(sys.argv[1:])()
    except ClaryError as error:
        print(f"clary: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader of a pipe (`| head`) has gone
        sys.exit(141)


if __name__ == "__main__":
    main()
