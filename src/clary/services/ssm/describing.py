"""DescribeParameters
(https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeParameters.html)."""

from __future__ import annotations

from clary.errors import ValidationError
from clary.services.context import Context
from clary.services.resources import Output, Params, present
from clary.services.ssm import filters
from clary.services.ssm.reading import all_of, paged
from clary.services.ssm.service import SERVICE
from clary.store.rows import Row

_DEFAULT_PAGE = 50


@SERVICE.operation("DescribeParameters")
def describe(context: Context, params: Params) -> Output:
    """By name, without values. Raises ValidationException, InvalidFilterKey, InvalidNextToken."""
    old, asked = params.get("Filters") or (), params.get("ParameterFilters") or ()
    if old and asked:
        raise ValidationError("You can use either Filters or ParameterFilters in a single request, not both of them.")
    asked = asked or [{**each, "Option": "BeginsWith" if each["Key"] == "Name" else "Equals"} for each in old]
    filters.check(asked, filters.DESCRIBED)
    placed = [([row.key.name], row) for row in all_of(context) if filters.fits(context, row, asked)]
    rows, token = paged(placed, params, _DEFAULT_PAGE)
    return present({"Parameters": [_entry(row) for row in rows], "NextToken": token})


def _entry(row: Row) -> Output:
    said = {"Name": row.key.name, "ARN": row.arn, "LastModifiedDate": row.modified}
    return {**said, "Version": row.state["version"], "Policies": [], **row.spec}
