"""Roles that belong to a service of AWS: made for it, changed and assumed by nobody else
(https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html)."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from clary.identity.managed import managed_policies
from clary.services.context import Context
from clary.services.iam.entities import ROLE, SERVICE_LINKED_PATH, insert, new_row, require
from clary.services.iam.errors import invalid_input, no_such_entity
from clary.services.iam.publication import write
from clary.services.iam.roles import shown_role
from clary.services.iam.service import SERVICE
from clary.store.rows import Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_HOUR = 3600


@dataclass(frozen=True)
class _Linked:
    """What the role of a service is called after `AWSServiceRoleFor`, and its policy of AWS's."""

    name: str
    policy: str
    suffixed: bool = False


_APPLICATION_AUTOSCALING = "application-autoscaling.amazonaws.com"
_KNOWN: Mapping[str, _Linked] = {
    "sagemaker.amazonaws.com": _Linked("AmazonSageMakerNotebooks", "AmazonSageMakerNotebooksServiceRolePolicy"),
    f"sagemaker.{_APPLICATION_AUTOSCALING}": _Linked(
        "ApplicationAutoScaling_SageMakerEndpoint", "AWSApplicationAutoscalingSageMakerEndpointPolicy"
    ),
    f"lambda.{_APPLICATION_AUTOSCALING}": _Linked(
        "ApplicationAutoScaling_LambdaConcurrency", "AWSApplicationAutoscalingLambdaConcurrencyPolicy"
    ),
    f"dynamodb.{_APPLICATION_AUTOSCALING}": _Linked(
        "ApplicationAutoScaling_DynamoDBTable", "AWSApplicationAutoscalingDynamoDBTablePolicy"
    ),
    f"ecs.{_APPLICATION_AUTOSCALING}": _Linked(
        "ApplicationAutoScaling_ECSService", "AWSApplicationAutoscalingECSServicePolicy"
    ),
    "autoscaling.amazonaws.com": _Linked("AutoScaling", "AutoScalingServiceRolePolicy", suffixed=True),
    "ops.apigateway.amazonaws.com": _Linked("APIGateway", "APIGatewayServiceRolePolicy"),
    "elasticloadbalancing.amazonaws.com": _Linked("ElasticLoadBalancing", "AWSElasticLoadBalancingServiceRolePolicy"),
    "ecs.amazonaws.com": _Linked("ECS", "AmazonECSServiceRolePolicy"),
    "eks.amazonaws.com": _Linked("AmazonEKS", "AmazonEKSServiceRolePolicy"),
    "batch.amazonaws.com": _Linked("Batch", "BatchServiceRolePolicy"),
    "spot.amazonaws.com": _Linked("EC2Spot", "AWSEC2SpotServiceRolePolicy"),
    "rds.amazonaws.com": _Linked("RDS", "AmazonRDSServiceRolePolicy"),
    "redshift.amazonaws.com": _Linked("Redshift", "AmazonRedshiftServiceLinkedRolePolicy"),
    "lakeformation.amazonaws.com": _Linked("LakeFormationDataAccess", "LakeFormationDataAccessServiceRolePolicy"),
    "lex.amazonaws.com": _Linked("LexBots", "AmazonLexBotPolicy"),
    "lexv2.amazonaws.com": _Linked("LexV2Bots", "AmazonLexV2BotPolicy", suffixed=True),
    "connect.amazonaws.com": _Linked("AmazonConnect", "AmazonConnectServiceLinkedRolePolicy", suffixed=True),
    "opensearchservice.amazonaws.com": _Linked("AmazonOpenSearchService", "AmazonOpenSearchServiceRolePolicy"),
    "es.amazonaws.com": _Linked("AmazonElasticsearchService", "AmazonElasticsearchServiceRolePolicy"),
    "replicator.lambda.amazonaws.com": _Linked("LambdaReplicator", "AWSLambdaReplicator"),
    "events.amazonaws.com": _Linked("CloudWatchEvents", "CloudWatchEventsServiceRolePolicy"),
    "fsx.amazonaws.com": _Linked("AmazonFSx", "AmazonFSxServiceRolePolicy"),
    "kafka.amazonaws.com": _Linked("Kafka", "KafkaServiceRolePolicy"),
    "support.amazonaws.com": _Linked("Support", "AWSSupportServiceRolePolicy"),
    "trustedadvisor.amazonaws.com": _Linked("TrustedAdvisor", "AWSTrustedAdvisorServiceRolePolicy"),
}
"""Of the services that SageMaker stands among
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-services-that-work-with-iam.html)."""


def _trust(service: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _linked(params: Mapping[str, Any]) -> tuple[_Linked, str]:
    """What is known of the service, and the role's name. Raises InvalidInput."""
    service, suffix = params["AWSServiceName"], params.get("CustomSuffix", "")
    linked = _KNOWN.get(service)
    if linked is None:
        raise invalid_input(f"Service Linked Role operation for service {service} is not known to Clary.")
    if suffix and not linked.suffixed:
        raise invalid_input(f"Custom suffix is not allowed for {service}")
    return linked, f"AWSServiceRoleFor{linked.name}" + (f"_{suffix}" if suffix else "")


def _attached(policy: str) -> list[str]:
    names = (f"arn:aws:iam::aws:policy/{path}{policy}" for path in ("aws-service-role/", "", "service-role/"))
    return [name for name in names if name in managed_policies()]


@SERVICE.operation("CreateServiceLinkedRole")
def create_service_linked_role(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    (linked, name), service = _linked(params), params["AWSServiceName"]
    asked = {
        "RoleName": name,
        "Path": f"{SERVICE_LINKED_PATH}{service}/",
        "AssumeRolePolicyDocument": _trust(service),
        "Description": params.get("Description", ""),
        "MaxSessionDuration": _HOUR,
    }
    row = new_row(ROLE, context.account, asked)
    row = replace(row, state={**row.state, "attached": _attached(linked.policy)})

    def change(transaction: Transaction) -> Row:
        if transaction.get(row.key) is not None:
            raise invalid_input(
                f"Service role name {name} has been taken in this account, please try a different suffix."
            )
        return insert(transaction, ROLE, row, {})

    return {"Role": shown_role(write(context, change))}


@SERVICE.operation("DeleteServiceLinkedRole")
def delete_service_linked_role(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """Nothing here holds such a role: it is deleted before this answers, and the task has succeeded."""

    def change(transaction: Transaction) -> str:
        row = require(transaction, ROLE, context.account, params["RoleName"])
        if not row.spec["Path"].startswith(SERVICE_LINKED_PATH):
            raise invalid_input(f"The role {params['RoleName']} is not a service-linked role.")
        transaction.delete(row.key)
        return f"task{row.spec['Path']}{row.spec['RoleName']}/{uuid.uuid4()}"

    return {"DeletionTaskId": write(context, change)}


@SERVICE.operation("GetServiceLinkedRoleDeletionStatus")
def get_service_linked_role_deletion_status(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    parts = params["DeletionTaskId"].split("/")
    if len(parts) != 5 or parts[:2] != ["task", "aws-service-role"]:
        raise no_such_entity(f"Task {params['DeletionTaskId']} cannot be found.")
    return {"Status": "SUCCEEDED"}
