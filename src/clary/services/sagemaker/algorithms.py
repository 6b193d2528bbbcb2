"""Algorithms of one's own: kept. Whether one works is not tried: a request that asks for it is refused
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateAlgorithm.html)."""

from __future__ import annotations

from clary.services.context import Context
from clary.services.declaring import declare
from clary.services.resources import Output, Params, Resource
from clary.services.sagemaker.errors import not_offered
from clary.services.sagemaker.kept_errors import invalid
from clary.services.sagemaker.service import SERVICE
from clary.store.rows import Row


def _fill(_context: Context, params: Params) -> Params:
    if "ValidationSpecification" in params:
        raise not_offered("CreateAlgorithm with ValidationSpecification")
    return {"CertifyForMarketplace": False, **params}


def _details(_row: Row) -> Output:
    return {"AlgorithmStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []}}


ALGORITHM = Resource(
    kind="algorithm",
    noun="Algorithm",
    list_member="AlgorithmSummaryList",
    descending=False,
    status="Completed",
    exists=invalid("Algorithm already exists: {arn}"),
    missing=invalid("Algorithm {arn} does not exist."),
    fill=_fill,
    shown=_details,
)

declare(SERVICE, ALGORITHM, effect="keeps state")
