"""CreateOrganization and DeleteOrganization
(https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateOrganization.html)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clary.errors import AWSError
from clary.names import random_hex
from clary.services.context import Context
from clary.services.iam.entities import MEMBER, ORGANIZATION, member_key
from clary.services.iam.publication import publish, write
from clary.services.organizations.accounts import ACTIVE, member_row
from clary.services.organizations.rows import (
    arn_of,
    is_member,
    organization_key,
    require_managed,
    require_organization,
)
from clary.services.organizations.service import SERVICE
from clary.services.resources import MADE_BY, Output, Params, made_before, now
from clary.store.rows import Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_OWNER = "root@clary.invalid"
"""Nobody has told the management account's address."""


@SERVICE.operation("CreateOrganization")
def create(context: Context, params: Params) -> Output:
    """The account that this Clary began with manages it; it is the first member. Raises
    AlreadyInOrganizationException, ConstraintViolationException."""
    key = organization_key(context)
    there = context.store.read.get(key)
    if there is not None and made_before(context, there):  # the same call once more
        publish(context.store.read, context.settings)
        return {"Organization": _shown(there)}
    if is_member(context, context.account):
        raise AWSError("AlreadyInOrganizationException", "The AWS account is already a member of an organization.")
    if context.account != key.account:
        text = f"Only account {key.account}, which this Clary began with, can manage an organization here."
        raise AWSError("ConstraintViolationException", text)
    made, identifier = now(), f"o-{random_hex(5)}"
    spec = {"Id": identifier, "FeatureSet": params.get("FeatureSet") or "ALL", "RootId": f"r-{random_hex(2)}"}
    arn = f"arn:aws:organizations::{key.account}:{ORGANIZATION}/{identifier}"
    row = Row(key, arn, "", made, made, spec, {MADE_BY: context.call.invocation_id})
    first = {"Email": _OWNER, "Name": f"account {key.account}", "JoinedMethod": "INVITED"}

    def found(transaction: Transaction) -> None:
        transaction.insert(row)
        transaction.insert(member_row(row, member_key(key.account), first))

    write(context, found)
    return {"Organization": _shown(row)}


@SERVICE.operation("DescribeOrganization")
def describe(context: Context, _params: Params) -> Output:
    """Raises AWSOrganizationsNotInUseException."""
    return {"Organization": _shown(require_organization(context))}


@SERVICE.operation("DeleteOrganization")
def delete(context: Context, _params: Params) -> Output:
    """Raises AWSOrganizationsNotInUseException, AccessDeniedException, OrganizationNotEmptyException."""

    def gone(transaction: Transaction) -> None:
        row = require_managed(context, transaction)
        others = [each for each in transaction.rows(MEMBER) if each.key.name != row.key.account]
        if any(each.status == ACTIVE for each in others):
            raise AWSError(
                "OrganizationNotEmptyException",
                "The organization isn't empty. To delete an organization, you must first remove all accounts except "
                "the management account.",
            )
        for each in (row, *transaction.rows(MEMBER)):
            transaction.delete(each.key)

    write(context, gone)
    return {}


def _shown(row: Row) -> Output:
    """The shape `Organization`."""
    return {
        "Id": row.spec["Id"],
        "Arn": row.arn,
        "FeatureSet": row.spec["FeatureSet"],
        "MasterAccountArn": arn_of(row, f"account/{row.key.account}"),
        "MasterAccountId": row.key.account,
        "MasterAccountEmail": _OWNER,
        "AvailablePolicyTypes": [],
    }
