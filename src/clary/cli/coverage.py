"""`clary coverage`: which AWS operations Clary carries out."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from typing import Annotated

import typer

from clary.app import coverage as app
from clary.cli import options
from clary.errors import ClaryError

_MEANINGS = {
    "executes": "what AWS would do happens",
    "keeps state": "remembered and given back; nothing else happens",
    "refused": "answered with an error that says why; lists of what cannot be made are empty",
    app.NOT_OFFERED: "answered with an error that says so",
}


def coverage(
    service: Annotated[
        str | None, typer.Argument(metavar="[SERVICE]", help="One service, as botocore names it.")
    ] = None,
    as_json: options.Json = False,
    data_dir: options.DataDir = None,
) -> None:
    """Show every AWS service and operation: what executes, what keeps state, what is not offered.

    Examples:

        clary coverage

        clary coverage s3

        clary coverage --json
    """
    if as_json:
        print(json.dumps(app.coverage([_known(service)] if service else app.known()), indent=1))
        return
    for each in [_known(service)] if service else app.offered():
        _show(each, app.operations(each), in_full=service is not None)
    if service is None:
        others = len(app.known()) - len(app.offered())
        print(
            f"\n{others} more AWS services are not offered. In full: `clary coverage SERVICE`, `clary coverage --json`."
        )


def _known(service: str) -> str:
    if service not in app.known():
        raise ClaryError(f"AWS has no service {service!r} in botocore's models.", "See `aws help` for their names.")
    return service


def _show(service: str, operations: Mapping[str, str], *, in_full: bool) -> None:
    print(f"\n{service}")
    for effect, meaning in _MEANINGS.items():
        names = [name for name, of in operations.items() if of == effect]
        if not names:
            continue
        print(f"  {effect} ({len(names)}): {meaning}")
        if in_full or effect != app.NOT_OFFERED:
            print(textwrap.fill(", ".join(names), 110, initial_indent="    ", subsequent_indent="    "))
