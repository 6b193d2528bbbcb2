"""Who reviews, with which page, and when: kept. No human loop is started and no page is shown
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateWorkteam.html)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from clary.errors import AWSError, ValidationError
from clary.names import random_hex, sagemaker_arn
from clary.services import resources
from clary.services.context import Context
from clary.services.declaring import declare
from clary.services.resources import Output, Params, Resource
from clary.services.sagemaker.code import ALL
from clary.services.sagemaker.kept_errors import does_not_exist, in_use, invalid
from clary.services.sagemaker.roles import check_role
from clary.services.sagemaker.service import SERVICE
from clary.store.rows import Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction


def _fill_workforce(_context: Context, params: Params) -> Params:
    if ("CognitoConfig" in params) == ("OidcConfig" in params):
        raise ValidationError("You must specify either CognitoConfig or OidcConfig, but not both.")
    return {"SourceIpConfig": {"Cidrs": ["0.0.0.0/0"]}, **params, "SubDomain": random_hex(5)}


def _no_teams(transaction: Transaction, row: Row) -> None:
    if transaction.children("workteam", row.key):
        raise AWSError("ResourceInUse", f"Workforce {row.arn} has work teams: delete them first.")


WORKFORCE = Resource(
    kind="workforce",
    noun="Workforce",
    whole="Workforce",
    list_member="Workforces",
    status="Active",
    exists=invalid("A workforce with the name {name} already exists."),
    missing=invalid("No workforce found with name {name} in this account and region."),
    fill=_fill_workforce,
    unused=_no_teams,
    verbs=ALL,
)


def _fill_team(context: Context, params: Params) -> Params:
    if "WorkforceName" in params:
        resources.require(WORKFORCE, context, params["WorkforceName"])
    return params


def _team(row: Row) -> Output:
    force = row.spec.get("WorkforceName")
    arn = sagemaker_arn(row.key.region, row.key.account, WORKFORCE.kind, force) if force else None
    return {**({"WorkforceArn": arn} if arn else {}), "Success": True}


WORKTEAM = Resource(
    kind="workteam",
    noun="Workteam",
    arn_type="workteam/private-crowd",
    whole="Workteam",
    list_member="Workteams",
    descending=False,
    exists=in_use("Workteam"),
    missing=invalid("The work team {arn} does not exist."),
    fill=_fill_team,
    shown=_team,
    parent=lambda _context, spec: str(spec.get("WorkforceName", "")),
    verbs=ALL,
)


def _page(row: Row) -> Output:
    """Of the page, what it is known by: no address shows it here."""
    digest = hashlib.sha256(row.spec["UiTemplate"]["Content"].encode()).hexdigest()
    return {"UiTemplate": {"ContentSha256": digest}}


HUMAN_TASK_UI = Resource(
    kind="human-task-ui",
    noun="HumanTaskUi",
    list_member="HumanTaskUiSummaries",
    status="Active",
    exists=in_use("HumanTaskUi"),
    missing=does_not_exist("HumanTaskUi"),
    shown=_page,
)


def _fill_flow(context: Context, params: Params) -> Params:
    check_role(context, params["RoleArn"])
    return params


FLOW_DEFINITION = Resource(
    kind="flow-definition",
    noun="FlowDefinition",
    list_member="FlowDefinitionSummaries",
    status="Active",
    exists=in_use("FlowDefinition"),
    missing=does_not_exist("FlowDefinition"),
    fill=_fill_flow,
)

for _each in (WORKFORCE, WORKTEAM, HUMAN_TASK_UI, FLOW_DEFINITION):
    declare(SERVICE, _each, effect="keeps state")


@SERVICE.operation("ListSubscribedWorkteams", effect="keeps state")
def list_subscribed(_context: Context, _params: Params) -> Output:
    """Vendors' teams come from AWS Marketplace: nobody can be subscribed to one here."""
    return {"SubscribedWorkteams": []}


@SERVICE.operation("DescribeSubscribedWorkteam", effect="keeps state")
def describe_subscribed(_context: Context, params: Params) -> Output:
    """Raises ValidationError."""
    raise ValidationError(f"The work team {params['WorkteamArn']} does not exist.")
