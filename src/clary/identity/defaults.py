"""The identity that a single user has without doing anything: a session of one role, as SDKs expect."""

from __future__ import annotations

from clary.names import Arn

ROLE_NAME = "ClaryExecutionRole"
ROLE_ID = "AROACLARYEXECUTIONROL"
"""The default role's id is fixed, so that its sessions outlive a reset."""

SESSION_NAME = "clary"


def role_arn(account: str) -> str:
    """`arn:aws:iam::ACCOUNT:role/ClaryExecutionRole`."""
    return str(Arn("iam", "", account, f"role/{ROLE_NAME}"))


def session_arn(account: str, role: str, session_name: str) -> str:
    """What GetCallerIdentity answers for a session; `role` is a role's ARN, whose path is left out."""
    return str(Arn("sts", "", account, f"assumed-role/{role.rpartition('/')[2]}/{session_name}"))
