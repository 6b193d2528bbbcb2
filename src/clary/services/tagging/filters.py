"""Which resources GetResources is asked for, by type and by tags
(https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from clary.names import Arn
from clary.services.resources import Params
from clary.services.tagging.service import invalid

_MOST_VALUES = 20
_RESOURCES_PER_PAGE = range(1, 101)
_TAGS_PER_PAGE = range(100, 501)
_WITHOUT_TYPE = {"s3": "bucket", "sns": "topic", "sqs": "queue"}
"""Services with one type of resource that their ARNs do not name."""


def check(params: Params) -> None:
    """Raises InvalidParameterException."""
    filtered = params.get("TagFilters") or params.get("ResourceTypeFilters")
    if params.get("ResourceARNList") and (filtered or params.get("ResourcesPerPage") or params.get("TagsPerPage")):
        raise invalid("ResourceARNList cannot be combined with filters or page sizes.")
    _check_size(params, "ResourcesPerPage", _RESOURCES_PER_PAGE)
    _check_size(params, "TagsPerPage", _TAGS_PER_PAGE)
    if params.get("ExcludeCompliantResources") and not params.get("IncludeComplianceDetails"):
        raise invalid("ExcludeCompliantResources needs IncludeComplianceDetails to be true.")
    for each in params.get("TagFilters") or ():
        if not each.get("Key"):
            raise invalid("A tag filter needs a Key.")
        if len(each.get("Values") or ()) > _MOST_VALUES:
            raise invalid(f"A tag filter has {_MOST_VALUES} values at most.")


def _check_size(params: Params, name: str, bounds: range) -> None:
    size = params.get(name)
    if size is not None and size not in bounds:
        raise invalid(f"{name} must be between {bounds.start} and {bounds.stop - 1}.")


def fits(arn: str, tags: Mapping[str, str], params: Params) -> bool:
    """Whether the resource is one that is asked for."""
    arns, types = params.get("ResourceARNList"), params.get("ResourceTypeFilters")
    return (
        (not arns or arn in arns)
        and (not types or bool(_types(arn).intersection(types)))
        and all(_passes(tags, each) for each in params.get("TagFilters") or ())
    )


def _types(arn: str) -> frozenset[str]:
    """`sagemaker` and `sagemaker:model`."""
    parsed = Arn.parse(arn)
    kind = _WITHOUT_TYPE.get(parsed.service) or re.split("[/:]", parsed.resource.lstrip("/"), maxsplit=1)[0]
    return frozenset((parsed.service, f"{parsed.service}:{kind}"))


def _passes(tags: Mapping[str, str], asked: Mapping[str, Any]) -> bool:
    """A filter without values wants the key only."""
    values: Sequence[str] = asked.get("Values") or ()
    return asked["Key"] in tags and (not values or tags[asked["Key"]] in values)
