"""What a request names, and the page of an answer."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import replace

from clary.errors import AWSError, ValidationError
from clary.scaling.resource import DIMENSIONS, NAMESPACE, Scaled, of, parse
from clary.scaling.rows import target_key
from clary.services import resources
from clary.services.applicationautoscaling.errors import UNSUPPORTED, invalid_token, not_offered
from clary.services.context import Context
from clary.services.resources import Output, Params
from clary.store.rows import Key, Page, Query, Row

MOST_A_PAGE = 50


class _Everything:
    def __contains__(self, name: object) -> bool:
        return True


_EVERYTHING = _Everything()


def named(target: str) -> Output:
    """Members that everything shown of a target has."""
    resource = parse(target)
    return {
        "ServiceNamespace": NAMESPACE,
        "ScalableDimension": resource.dimension,
        "ResourceId": resource.resource_id,
    }


def place_of(context: Context, params: Params) -> Key:
    """The key of the scalable target that a request names, whether it is there or not. Raises ValidationError."""
    return target_key(context.account, context.region, scaled_by(params).target)


def scaled_by(params: Params) -> Scaled:
    """What a request names. Raises ValidationError for what is neither a variant of an endpoint nor an inference
    component."""
    if params["ServiceNamespace"] != NAMESPACE:
        raise not_offered(f"Scaling of the service namespace {params['ServiceNamespace']}")
    found = of(params["ResourceId"], params["ScalableDimension"])
    if not found:
        raise ValidationError(UNSUPPORTED)
    return found[0]


def parents_of(params: Params) -> Container[str]:
    """The targets that a Describe is about. Raises ValidationError."""
    check_dimension(params, params.get("ResourceId"))
    if not params.get("ResourceId"):
        return _EVERYTHING
    return {each.target for each in of(params["ResourceId"], params.get("ScalableDimension"))}


def check_dimension(params: Params, resource: object) -> None:
    """Raises ValidationError where a dimension is given, and no resource."""
    if params.get("ScalableDimension") and not resource:
        raise ValidationError("If you specify a scalable dimension, you must also specify a resource ID")


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
