"""`clary env`: what makes the clients of a shell talk to Clary."""

from __future__ import annotations

import os
import sys
from typing import Annotated, cast

import typer

from clary.calls import Principal
from clary.cli import options
from clary.clients.environment import CredentialsAccess, Shell, render, render_unset, variables, write_files
from clary.compute.authority import Authority, for_users
from clary.compute.ways_out import TRUST_VARIABLES
from clary.durable import replace
from clary.errors import ClaryError
from clary.gateway.keyring import default_principal
from clary.identity.defaults import SESSION_NAME
from clary.identity.directory import EMPTY
from clary.identity.issuing import role_principal
from clary.identity.published import Identities, identities_path
from clary.identity.sealing import Sealer
from clary.publish import Subscriber
from clary.settings import Settings

_SHELLS = ("sh", "fish", "json")

SHELL_SECONDS = 10 * 365 * 86_400.0
"""What a shell holds fetches credentials that last for hours; it must not itself run out while the shell is open."""


def env(
    data_dir: options.DataDir = None,
    shell: Annotated[str, typer.Option(metavar="sh|fish|json", help="Whose language to speak.")] = "sh",
    role: Annotated[str | None, typer.Option(metavar="ARN", help="Speak as a session of this role.")] = None,
    unset: Annotated[bool, typer.Option("--unset", help="Print what takes the variables back.")] = False,
) -> None:
    """Print the variables with which boto3, the SageMaker SDKs and the AWS CLI reach Clary.

    Examples:

        eval "$(clary env)"

        clary env --shell fish | source

        eval "$(clary env --unset)"

        eval "$(clary env --role arn:aws:iam::111122223333:role/OrganizationAccountAccessRole)"
    """
    exported = client_variables(options.required(data_dir).settings, role)
    speak = _shell(shell)
    print(render_unset(exported, os.environ, speak) if unset else render(exported, speak))
    if sys.stdout.isatty() and not unset:
        print('\n# Not set yet: eval "$(clary env)"', file=sys.stderr)


def client_variables(settings: Settings, role: str | None = None) -> dict[str, str]:
    """What `clary env` exports for this Clary, which has to be running. Raises ClaryError without such a role."""
    principal = default_principal(settings) if role is None else _session_of(settings, role)
    session = Sealer.of(settings.data_dir).issue(principal, SHELL_SECONDS)
    access = CredentialsAccess(session.access_key_id, session.session_token)
    return variables(settings, access, write_files(settings), os.environ) | (
        {} if settings.tls_port is None else trusting(settings)
    )


def trusting(settings: Settings) -> dict[str, str]:
    """By what clients believe the certificate; they go on to believe whom they did."""
    path = for_users(settings.authority_dir)
    replace(path, Authority(settings.authority_dir).trusted())
    return dict.fromkeys(TRUST_VARIABLES, str(path))


def _session_of(settings: Settings, role: str) -> Principal:
    published = cast("Identities", Subscriber(identities_path(settings.run_dir)).current() or EMPTY)
    if ":role/" not in role or role not in published["subjects"]:
        raise ClaryError(f"There is no role {role}. `aws iam list-roles` shows those of an account.")
    return role_principal(published, settings.account_id, role, SESSION_NAME)


def _shell(text: str) -> Shell:
    if text not in _SHELLS:
        raise ClaryError(f"--shell is one of {', '.join(_SHELLS)}; {text!r} is none of them.")
    return cast("Shell", text)
