"""`clary images setup`: the registry under the names that it has on AWS."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from clary.cli import options
from clary.clients import names_setup
from clary.clients.names_setup import NamesSetup
from clary.errors import ClaryError
from clary.services.ecr.names import host
from clary.supervisor.lock import held

Regions = Annotated[
    list[str] | None,
    typer.Option("--region", metavar="REGION", help="May be given several times; Clary's if not said."),
]


def setup(
    region: Regions = None,
    only_print: Annotated[
        bool, typer.Option("--print", help="Show what would be changed, and change nothing.")
    ] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Take all of it back.")] = False,
    data_dir: options.DataDir = None,
) -> None:
    """Have ACCOUNT.dkr.ecr.REGION.amazonaws.com lead to this Clary.

    For scripts that compose that name: a certificate that engines trust for it, and a line in /etc/hosts. Needs root;
    the real registry of that account is not reached from here meanwhile.

    Examples:

        clary images setup --print

        sudo clary images setup --data-dir ~/.clary

        sudo clary images setup --undo --data-dir ~/.clary
    """
    settings = options.known_settings(data_dir)
    if not settings.data_dir.is_dir():
        raise ClaryError(f"{settings.data_dir} is no data folder of a Clary.", "Name the one with `--data-dir`.")
    names = [host(each, settings.account_id) for each in dict.fromkeys(region or [settings.region])]
    wanted = NamesSetup(settings.tls_dir, names)
    if not undo:
        print("\n".join(wanted.changes()))
    if only_print:
        return
    if os.geteuid() != 0:
        raise ClaryError("Only root may change that.", f"Run `{_by_root(settings.data_dir)}`.")
    try:
        print("\n".join(names_setup.undo(settings.tls_dir)) if undo else _applied(wanted))
    except OSError as error:
        raise ClaryError(f"{error.filename or 'The machine'} cannot be changed: {error.strerror}.") from error
    if held(settings):
        print("Clary has to be started anew for it: `clary down`, then `clary up`.")


def _applied(wanted: NamesSetup) -> str:
    wanted.apply()
    return f"Done. Log in with `aws ecr get-login-password | docker login -u AWS --password-stdin {wanted.names[0]}`."


def _by_root(data_dir: Path) -> str:
    command = [str(Path(sys.argv[0]).absolute()), *sys.argv[1:]]
    named = [] if "--data-dir" in command else ["--data-dir", str(data_dir)]
    return shlex.join(["sudo", *command, *named])
