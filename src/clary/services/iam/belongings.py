"""What hangs on a user: keys, certificates and devices, each a row of its own below the user's."""

from __future__ import annotations

from clary.services.iam.entities import ACCESS_KEY, Rows, all_of
from clary.store.rows import Row

SIGNING_CERTIFICATE = "signing-certificate"
SSH_KEY = "ssh-public-key"
MFA_DEVICE = "mfa"
SERVICE_CREDENTIAL = "service-specific-credential"

KINDS = (ACCESS_KEY, SIGNING_CERTIFICATE, SSH_KEY, MFA_DEVICE, SERVICE_CREDENTIAL)
"""All of them follow a user to a new name."""

FIRST = {
    ACCESS_KEY: "delete access keys",
    SIGNING_CERTIFICATE: "delete signing certificates",
    SSH_KEY: "delete SSH public keys",
    MFA_DEVICE: "delete MFA device",
    SERVICE_CREDENTIAL: "remove referenced objects",
}
"""What has to be done before a user can go."""


def belongings(rows: Rows, user: Row, kind: str) -> list[Row]:
    """The user's, of one kind."""
    return [row for row in all_of(rows, kind, user.key.account) if row.parent == user.key.name]
