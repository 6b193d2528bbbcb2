"""Tags of buckets, one at a time (https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_TagResource.html): the
same that PutBucketTagging replaces as a whole."""

from __future__ import annotations

from typing import Any

from clary.errors import AWSError
from clary.objects.model import Bucket
from clary.objects.reader import ObjectReader
from clary.services.context import Context, EdgeContext
from clary.services.s3.errors import access_denied
from clary.services.s3.tag_rules import BUCKET_TAGS, TAGGING, as_set, checked_tags, from_list
from clary.services.s3.targets import HIDDEN
from clary.services.s3control.account import own_account
from clary.services.s3control.service import SERVICE

_BUCKETS = "arn:aws:s3:::"


@SERVICE.operation("TagResource", effect="keeps state")
def tag_resource(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """Raises NoSuchResource, MalformedXML, InvalidTag, BadRequest."""
    added = from_list(params["Tags"], most=BUCKET_TAGS)

    def joined(bucket: Bucket) -> dict[str, str]:
        return checked_tags({**bucket.settings.get(TAGGING, {}), **added}.items(), most=BUCKET_TAGS)

    name = _bucket(context, context.objects, params).name
    context.objects.change_bucket(name, TAGGING, joined)
    return {}


@SERVICE.operation("UntagResource", effect="keeps state")
def untag_resource(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """Raises NoSuchResource."""
    gone = set(params["TagKeys"])

    def left(bucket: Bucket) -> dict[str, str] | None:
        tags = bucket.settings.get(TAGGING, {})
        return {key: value for key, value in tags.items() if key not in gone} or None

    name = _bucket(context, context.objects, params).name
    context.objects.change_bucket(name, TAGGING, left)
    return {}


@SERVICE.operation("ListTagsForResource", place="edge", effect="keeps state")
def list_tags_for_resource(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    """Raises NoSuchResource."""
    bucket = _bucket(context, context.objects, params)
    return {"Tags": as_set(bucket.settings.get(TAGGING, {}))}


def _bucket(context: Context | EdgeContext, objects: ObjectReader, params: dict[str, Any]) -> Bucket:
    """The account's own. Nothing but buckets has tags here."""
    account, arn = own_account(context, params), params["ResourceArn"]
    name = arn.removeprefix(_BUCKETS)
    found = objects.get_bucket(name) if arn.startswith(_BUCKETS) and HIDDEN not in name else None
    if found is None:
        raise AWSError("NoSuchResource", "The specified resource doesn't exist.", status=404)
    if found.account != account:
        raise access_denied()
    return found
