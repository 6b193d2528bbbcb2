"""GetResources, GetTagKeys, GetTagValues
(https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html)."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

from clary.services.context import Context
from clary.services.resources import Output, Params
from clary.services.tagging import filters
from clary.services.tagging.everything import tagged
from clary.services.tagging.service import SERVICE, invalid
from clary.services.tags import listed_tags

_RESOURCES = 100
_WORDS = 1000
"""Of a page, where the request says nothing."""


@SERVICE.operation("GetResources")
def get_resources(context: Context, params: Params) -> Output:
    """What has tags, by ARN, a page of it. Raises InvalidParameterException."""
    filters.check(params)
    after = _place(params)
    found = [(arn, tags) for arn, tags in tagged(context).items() if arn > after and filters.fits(arn, tags, params)]
    if params.get("ExcludeCompliantResources"):
        found = []  # nobody has a tag policy here: all are compliant
    shown = found[: _size(found, params)]
    details = {
        "ComplianceDetails": {"ComplianceStatus": True, "NoncompliantKeys": [], "KeysWithNoncompliantValues": []}
    }
    compliance = details if params.get("IncludeComplianceDetails") else {}
    return {
        "ResourceTagMappingList": [
            {"ResourceARN": arn, "Tags": listed_tags(tags), **compliance} for arn, tags in shown
        ],
        "PaginationToken": _token(shown[-1][0]) if len(shown) < len(found) else "",
    }


def _size(found: Sequence[tuple[str, Mapping[str, str]]], params: Params) -> int:
    """Resources of a page: so many, or as many as have so many tags together. None is parted from its tags."""
    most = params.get("TagsPerPage")
    if most is None:
        return int(params.get("ResourcesPerPage") or _RESOURCES)
    together = 0
    for place, (_, tags) in enumerate(found):
        together += len(tags)
        if together > most:
            return place
    return len(found)


@SERVICE.operation("GetTagKeys")
def get_tag_keys(context: Context, params: Params) -> Output:
    """All that are in use. Raises InvalidParameterException."""
    return _words("TagKeys", {key for tags in tagged(context).values() for key in tags}, params)


@SERVICE.operation("GetTagValues")
def get_tag_values(context: Context, params: Params) -> Output:
    """All that a key has. Raises InvalidParameterException."""
    key = params["Key"]
    return _words("TagValues", {tags[key] for tags in tagged(context).values() if key in tags}, params)


def _words(member: str, words: set[str], params: Params) -> Output:
    after = _place(params) if params.get("PaginationToken") else None
    waiting = sorted(word for word in words if after is None or word > after)
    shown = waiting[:_WORDS]
    return {member: shown, "PaginationToken": _token(shown[-1]) if len(shown) < len(waiting) else ""}


def _token(last: str) -> str:
    return base64.urlsafe_b64encode(last.encode()).decode()


def _place(params: Params) -> str:
    """What the page before ended with; empty on the first one."""
    try:
        return base64.b64decode(params.get("PaginationToken") or "", altchars=b"-_", validate=True).decode()
    except ValueError:
        raise invalid("The PaginationToken is not one of this operation's.") from None
