"""The role that a resource runs with."""

from __future__ import annotations

from clary.calls import Access, Call
from clary.identity.directory import Directory
from clary.identity.issuing import role_principal
from clary.images.addresses import Address
from clary.services.context import Context
from clary.services.ecr.names import repository_arn
from clary.services.iam.gathering import identities_of
from clary.services.iam.roles import check_pass_role
from clary.services.sagemaker.references import split_uri

_PRINCIPAL = "sagemaker.amazonaws.com"
_SESSION = "SageMaker"
_PULL = ("BatchCheckLayerAvailability", "BatchGetImage", "GetDownloadUrlForLayer")


def check_role(context: Context, role_arn: str | None) -> None:
    """The caller may pass the role, and SageMaker may take it; with `--auth off` any role will do.

    Raises AccessDenied and ValidationError.
    """
    if role_arn and context.settings.auth != "off":
        check_pass_role(context.store.read, context.call, role_arn, _PRINCIPAL)


def may_list(context: Context, role_arn: str | None, uri: str) -> bool:
    """Whether the role may list the objects whose addresses begin with `s3://bucket/prefix`."""
    bucket, prefix = split_uri(uri)
    return _may(context, role_arn, Access("s3:ListBucket", f"arn:aws:s3:::{bucket}", {"s3:prefix": prefix}))


def may_read(context: Context, role_arn: str | None, uri: str) -> bool:
    """Whether the role may read the object at `uri`."""
    bucket, key = split_uri(uri)
    return _may(context, role_arn, Access("s3:GetObject", f"arn:aws:s3:::{bucket}/{key}"))


def may_publish(context: Context, role_arn: str | None, topic: str) -> bool:
    """Whether the role may tell a topic something."""
    return _may(context, role_arn, Access("sns:Publish", topic))


def may_pull(context: Context, role_arn: str | None, address: Address) -> bool:
    """Whether the role may pull images of that repository."""
    arn = repository_arn(address.region, address.account, address.repository)
    return all(_may(context, role_arn, Access(f"ecr:{action}", arn)) for action in _PULL)


def _may(context: Context, role_arn: str | None, access: Access) -> bool:
    """As the role's policies are now; nobody's rights where there is no role, everybody's with `--auth off`."""
    if context.settings.auth == "off":
        return True
    directory = Directory(identities_of(context.store.read, context.account, role_arn or ""))
    who = role_principal(directory.identities, context.account, role_arn or "", _SESSION)
    return directory.decide(
        Call(who, access.action.partition(":")[0], access.action, {}, context.region), access
    ).allowed
