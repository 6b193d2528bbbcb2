"""The role that a resource runs with."""

from __future__ import annotations

from clary.services.context import Context
from clary.services.iam.roles import check_pass_role

_PRINCIPAL = "sagemaker.amazonaws.com"


def check_role(context: Context, role_arn: str | None) -> None:
    """The caller may pass the role, and SageMaker may take it; with `--auth off` any role will do.

    Raises AccessDenied and ValidationError.
    """
    if role_arn and context.settings.auth != "off":
        check_pass_role(context.store.read, context.call, role_arn, _PRINCIPAL)
