"""The one lineage group of an account, to which all of its lineage belongs
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeLineageGroup.html)."""

from __future__ import annotations

from clary.errors import AWSError
from clary.names import sagemaker_arn
from clary.services.context import Context
from clary.services.resources import Output, Params
from clary.services.sagemaker.service import SERVICE
from clary.store.rows import Key

_NAME = "sagemaker-default-lineage-group"


def group_arn(key: Key) -> str:
    """Of a row's account and region."""
    return sagemaker_arn(key.region, key.account, "lineage-group", _NAME)


def _group(context: Context) -> Output:
    arn = group_arn(Key("lineage-group", context.account, context.region, _NAME))
    return {"LineageGroupName": _NAME, "LineageGroupArn": arn, "DisplayName": _NAME}


def _require(context: Context, params: Params) -> Output:
    if params["LineageGroupName"].rpartition("/")[2] != _NAME:
        raise AWSError("ResourceNotFound", f"LineageGroup '{params['LineageGroupName']}' does not exist.")
    return _group(context)


@SERVICE.operation("DescribeLineageGroup", effect="keeps state")
def describe(context: Context, params: Params) -> Output:
    """Raises ResourceNotFound for any other than the account's own."""
    return {**_require(context, params), "Description": "All lineage of the account in this region."}


@SERVICE.operation("ListLineageGroups", effect="keeps state")
def list_(context: Context, _params: Params) -> Output:
    """There is one."""
    return {"LineageGroupSummaries": [_group(context)]}


@SERVICE.operation("GetLineageGroupPolicy", effect="keeps state")
def policy(context: Context, params: Params) -> Output:
    """Raises ResourceNotFound: nobody can share one here."""
    arn = _require(context, params)["LineageGroupArn"]
    raise AWSError("ResourceNotFound", f"LineageGroup '{arn}' has no resource policy.")
