"""Sessions that nobody can begin here, and why."""

from __future__ import annotations

from clary.errors import AWSError
from clary.services.sts.service import SERVICE


def _because(reason: str) -> AWSError:
    return AWSError("AccessDenied", reason, status=403)


SERVICE.refuse(
    _because("Clary verifies no SAML assertions: AssumeRole and AssumeRoleWithWebIdentity are offered."),
    "AssumeRoleWithSAML",
)
SERVICE.refuse(
    _because("Clary manages no root of another account: its organization lets roles be assumed."), "AssumeRoot"
)
SERVICE.refuse(
    _because("Clary has no delegation requests: no trade-in token was ever given."), "GetDelegatedAccessToken"
)
SERVICE.refuse(
    AWSError(
        "OutboundWebIdentityFederationDisabledException",
        "Outbound web identity federation is not enabled for this account, and Clary does not offer it.",
        status=403,
    ),
    "GetWebIdentityToken",
)
