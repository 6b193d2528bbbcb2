"""What a request names, and the page of an answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from clary.errors import AWSError, ValidationError
from clary.scaling.resource import DIMENSIONS, NAMESPACE, parse
from clary.scaling.rows import target_key
from clary.services import resources
from clary.services.applicationautoscaling.errors import UNSUPPORTED, invalid_token, not_offered
from clary.services.context import Context
from clary.services.resources import Output, Params
from clary.store.rows import Key, Page, Query, Row

MOST_A_PAGE = 50


def named(resource_id: str) -> Output:
    """Members that everything shown of a resource has."""
    dimension = parse(resource_id).dimension
    return {"ServiceNamespace": NAMESPACE, "ScalableDimension": dimension, "ResourceId": resource_id}


def place_of(context: Context, params: Params) -> Key:
    """The key of the scalable target that a request names, whether it is there or not. Raises ValidationError."""
    check_place(params)
    return target_key(context.account, context.region, params["ResourceId"])


def check_place(params: Params) -> None:
    """Raises ValidationError for what is neither a variant of an endpoint nor an inference component."""
    if params["ServiceNamespace"] != NAMESPACE:
        raise not_offered(f"Scaling of the service namespace {params['ServiceNamespace']}")
    try:
        resource = parse(params["ResourceId"])
    except ValueError:
        raise ValidationError(UNSUPPORTED) from None
    if params["ScalableDimension"] != resource.dimension:
        raise ValidationError(UNSUPPORTED)


def parent_of(params: Params) -> str | None:
    """The target that a Describe is about; None for all of them. Raises ValidationError."""
    if params.get("ScalableDimension") and not params.get("ResourceId"):
        raise ValidationError("If you specify a scalable dimension, you must also specify a resource ID")
    return params.get("ResourceId")


def offers_none(params: Params) -> bool:
    """Whether a Describe asks for what Clary does not scale: there is none of it."""
    return params["ServiceNamespace"] != NAMESPACE or params.get("ScalableDimension") not in (None, *DIMENSIONS)


def listed(
    context: Context, params: Params, query: Query, member: str, shown: Callable[[Row], Output],
    wanted: Callable[[Row], bool] | None = None,
) -> Output:  # fmt: skip
    """A Describe's output. Raises ValidationError, InvalidNextTokenException."""
    found = Page((), None) if offers_none(params) else _page(context, params, query, wanted)
    return resources.present({member: [shown(row) for row in found.rows], "NextToken": found.token})


def query_of(context: Context, kind: str, *, newest_first: bool = False) -> Query:
    """All of one kind: by name, or the newest first."""
    if newest_first:
        return Query(kind, context.account, context.region, sort_by="created", descending=True)
    return Query(kind, context.account, context.region, sort_by="name", descending=False)


def _page(context: Context, params: Params, query: Query, wanted: Callable[[Row], bool] | None) -> Page:
    limit = params.get("MaxResults")
    if limit is not None and not 1 <= limit <= MOST_A_PAGE:
        raise ValidationError(f"MaxResults must be between 1 and {MOST_A_PAGE}")
    paged = replace(query, limit=limit or MOST_A_PAGE, token=params.get("NextToken"))
    try:
        return resources.page(context, paged, wanted)
    except AWSError:
        raise invalid_token() from None
