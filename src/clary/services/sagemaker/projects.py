"""Projects: kept, without what a template of Service Catalog would set up
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateProject.html)."""

from __future__ import annotations

from clary.names import random_hex
from clary.services.context import Context
from clary.services.declaring import declare
from clary.services.resources import Params, Resource
from clary.services.sagemaker.code import ALL
from clary.services.sagemaker.errors import not_offered
from clary.services.sagemaker.kept_errors import invalid
from clary.services.sagemaker.service import SERVICE
from clary.store.rows import Row

_TEMPLATES = (
    "ServiceCatalogProvisioningDetails",
    "TemplateProviders",
    "ServiceCatalogProvisioningUpdateDetails",
    "TemplateProvidersToUpdate",
)


def _check(params: Params) -> None:
    for member in _TEMPLATES:
        if params.get(member):
            raise not_offered(f"A project with {member}")


def _fill(_context: Context, params: Params) -> Params:
    _check(params)
    return {**params, "ProjectId": f"p-{random_hex(6)}"}


def _update(_context: Context, row: Row, params: Params) -> Params:
    _check(params)
    return {**row.spec, **params}


PROJECT = Resource(
    kind="project",
    noun="Project",
    list_member="ProjectSummaryList",
    descending=False,
    status="CreateCompleted",
    exists=invalid("Project {arn} already exists."),
    missing=invalid("Project {arn} does not exist."),
    fill=_fill,
    update=_update,
    verbs=ALL,
)

declare(SERVICE, PROJECT, effect="keeps state")
