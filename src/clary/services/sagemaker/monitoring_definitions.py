"""What a monitoring of an endpoint or of batch transforms is to look at: kept. The schedules that would carry them out
are refused (`unmade_places.py`)
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateDataQualityJobDefinition.html)."""

from __future__ import annotations

from typing import Any

from clary.services.context import Context
from clary.services.declaring import declare
from clary.services.resources import Output, Params, Resource
from clary.services.sagemaker.kept_errors import does_not_exist, in_use
from clary.services.sagemaker.roles import check_role
from clary.services.sagemaker.service import SERVICE
from clary.store.rows import Row

_DAY_IN_SECONDS = 86_400


def _fill(context: Context, params: Params) -> Params:
    check_role(context, params["RoleArn"])
    return {"StoppingCondition": {"MaxRuntimeInSeconds": _DAY_IN_SECONDS}, **params}


def endpoint_of(noun: str, spec: Params) -> str:
    """The endpoint that is looked at; empty where it is batch transforms."""
    looked_at: dict[str, Any] = spec[f"{noun.removesuffix('JobDefinition')}JobInput"]
    return str(looked_at.get("EndpointInput", {}).get("EndpointName", ""))


def _definition(noun: str, kind: str) -> Resource:
    def listed(row: Row) -> Output:
        named = {"MonitoringJobDefinitionName": row.key.name, "MonitoringJobDefinitionArn": row.arn}
        return {**named, "EndpointName": endpoint_of(noun, dict(row.spec))}

    return Resource(
        kind=kind,
        noun=noun,
        named="JobDefinitionName",
        arn_named="JobDefinitionArn",
        list_member="JobDefinitionSummaries",
        exists=in_use(noun),
        missing=does_not_exist(noun),
        fill=_fill,
        listed=listed,
        parent=lambda _context, spec: endpoint_of(noun, spec),
        group="EndpointName",
    )


DEFINITIONS = tuple(
    _definition(noun, kind)
    for noun, kind in (
        ("DataQualityJobDefinition", "data-quality-job-definition"),
        ("ModelQualityJobDefinition", "model-quality-job-definition"),
        ("ModelBiasJobDefinition", "model-bias-job-definition"),
        ("ModelExplainabilityJobDefinition", "model-explainability-job-definition"),
    )
)

for _each in DEFINITIONS:
    declare(SERVICE, _each, effect="keeps state")
