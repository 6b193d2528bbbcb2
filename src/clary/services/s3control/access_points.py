"""Access points (https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points.html): none can be made, so none
is there."""

from __future__ import annotations

from typing import Any

from clary.errors import AWSError
from clary.services.context import EdgeContext
from clary.services.s3control.account import own_account
from clary.services.s3control.service import SERVICE

_NONE_MADE = "Access points are not offered by Clary: name the bucket itself; its policy says who may reach it."

SERVICE.refuse(AWSError("NotImplemented", _NONE_MADE, status=501), "CreateAccessPoint")


@SERVICE.operation("ListAccessPoints", place="edge", effect="refused")
def list_access_points(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    """There is none."""
    own_account(context, params)
    return {"AccessPointList": []}


def _missing(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    own_account(context, params)
    text, members = "The specified accesspoint does not exist", {"AccessPointName": params["Name"]}
    raise AWSError("NoSuchAccessPoint", text, status=404, members=members)


for _name in (
    *("GetAccessPoint", "DeleteAccessPoint", "GetAccessPointPolicy", "PutAccessPointPolicy"),
    *("DeleteAccessPointPolicy", "GetAccessPointPolicyStatus"),
):
    SERVICE.operation(_name, place="edge", effect="refused")(_missing)
