"""Principals of a role's sessions."""

from __future__ import annotations

from clary.calls import Principal
from clary.identity.defaults import session_arn
from clary.identity.published import Identities
from clary.names import account_of

_UNKNOWN_ROLE_ID = "AROAUNKNOWN0000000000"
"""Under `--auth off` roles need not exist; where signatures count, nobody has this id, and so it may do nothing."""


def role_principal(published: Identities, account: str, role_arn: str, session_name: str) -> Principal:
    """A session of a role, whether or not it exists. One that does is of the account that its ARN names; any other is
    taken for one of `account`."""
    subject = published["subjects"].get(role_arn)
    identifier = subject["id"] if subject else _UNKNOWN_ROLE_ID
    owner = account_of(role_arn) if subject else account
    return Principal(
        kind="assumed-role",
        account=owner,
        arn=session_arn(owner, role_arn, session_name),
        identity=role_arn,
        user_id=f"{identifier}:{session_name}",
    )
