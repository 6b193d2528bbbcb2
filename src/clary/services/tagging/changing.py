"""TagResources, UntagResources: each resource's own service is asked, as the caller, whose rights there count
(https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_TagResources.html)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from clary.errors import AWSError
from clary.names import Arn
from clary.services.context import Context
from clary.services.resources import Output, Params
from clary.services.tagging.everything import BUCKETS
from clary.services.tagging.service import SERVICE, invalid
from clary.services.tags import listed_tags

_HTTP_APIS = "/apis/"


class _Way(NamedTuple):
    """How a service wants to be asked."""

    service: str
    add: str = "TagResource"
    remove: str = "UntagResource"
    resource: str = "ResourceArn"
    tags: str = "Tags"
    keys: str = "TagKeys"
    written: Callable[[Mapping[str, str]], Any] = dict


def _kms_tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"TagKey": key, "TagValue": value} for key, value in tags.items()]


_SMALL = {"resource": "resourceArn", "tags": "tags", "keys": "tagKeys"}
_BY_API = _Way("apigateway", **_SMALL)  # type: ignore[arg-type]
_BY_HTTP_API = _Way("apigatewayv2")
_WAYS: Mapping[str, _Way] = {
    "application-autoscaling": _Way("application-autoscaling", resource="ResourceARN"),
    "cloudwatch": _Way("cloudwatch", resource="ResourceARN", written=listed_tags),
    "ecr": _Way("ecr", written=listed_tags, **_SMALL),
    "kms": _Way("kms", resource="KeyId", written=_kms_tags),
    "lambda": _Way("lambda", resource="Resource"),
    "logs": _Way("logs", **_SMALL),  # type: ignore[arg-type]
    "sagemaker": _Way("sagemaker", "AddTags", "DeleteTags", written=listed_tags),
    "secretsmanager": _Way("secretsmanager", resource="SecretId", written=listed_tags),
    "sns": _Way("sns", written=listed_tags),
    "sqs": _Way("sqs", "TagQueue", "UntagQueue", resource="QueueUrl"),
    "ssm": _Way("ssm", "AddTagsToResource", "RemoveTagsFromResource", resource="ResourceId", written=listed_tags),
}


@SERVICE.operation("TagResources")
def tag_resources(context: Context, params: Params) -> Output:
    """Tags are added, or get other values. What was refused is told one by one. Raises InvalidParameterException."""
    tags = params["Tags"]

    def add(arn: Arn) -> None:
        if arn.service == BUCKETS:
            _write_bucket(context, arn, {**_of_bucket(context, arn), **tags})
        else:
            way = _way(arn)
            _ask(context, way, way.add, arn, {way.tags: way.written(tags)})

    return _each(params["ResourceARNList"], add)


@SERVICE.operation("UntagResources")
def untag_resources(context: Context, params: Params) -> Output:
    """Tags are taken away. Raises InvalidParameterException."""
    keys = params["TagKeys"]

    def remove(arn: Arn) -> None:
        if arn.service == BUCKETS:
            _write_bucket(context, arn, {key: v for key, v in _of_bucket(context, arn).items() if key not in keys})
        else:
            way = _way(arn)
            _ask(context, way, way.remove, arn, {way.keys: keys})

    return _each(params["ResourceARNList"], remove)


def _each(arns: Sequence[str], change: Callable[[Arn], None]) -> Output:
    failed: dict[str, Any] = {}
    for text, arn in [(text, _parsed(text)) for text in arns]:
        try:
            change(arn)
        except AWSError as error:
            code = "InternalServiceException" if error.status >= 500 else "InvalidParameterException"
            failed[text] = {"StatusCode": error.status, "ErrorCode": code, "ErrorMessage": error.message}
    return {"FailedResourcesMap": failed}


def _parsed(text: str) -> Arn:
    try:
        return Arn.parse(text)
    except ValueError:
        raise invalid(f"{text} is not a valid ARN.") from None


def _way(arn: Arn) -> _Way:
    if arn.service == "apigateway":
        return _BY_HTTP_API if arn.resource.startswith(_HTTP_APIS) else _BY_API
    found = _WAYS.get(arn.service)
    if found is None:
        raise invalid(f"Resources of {arn.service} have no tags here.")
    return found


def _ask(context: Context, way: _Way, operation: str, arn: Arn, change: Params) -> None:
    """As the caller; of another region nothing is known to the one that is spoken to."""
    if arn.region != context.region or arn.account not in ("", context.account):
        raise _foreign(arn)
    asked = {way.resource: _name(context, way, arn), **change}
    if way.service == "ssm":
        asked["ResourceType"] = "Parameter"
    context.invoke(replace(context.call, service=way.service, operation=operation, params=asked))


def _name(context: Context, way: _Way, arn: Arn) -> str:
    """Most services take the ARN."""
    if way.service == "sqs":
        return f"{context.settings.endpoint_url}/{arn.account}/{arn.resource}"
    if way.service == "ssm":
        row = context.store.read.by_arn(str(arn))
        return row.key.name if row is not None else arn.resource.removeprefix("parameter/")
    return str(arn)


def _of_bucket(context: Context, arn: Arn) -> Mapping[str, str]:
    bucket = context.objects.bucket(arn.resource)
    if bucket.account != context.account:
        raise _foreign(arn)
    tags: Mapping[str, str] = bucket.settings.get("Tagging") or {}
    return tags


def _foreign(arn: Arn) -> AWSError:
    return invalid(f"{arn} is not in this account and region.")


def _write_bucket(context: Context, arn: Arn, tags: Mapping[str, str]) -> None:
    """A bucket's tags are written as a whole."""
    asked: Params = {"Bucket": arn.resource}
    if tags:
        asked["Tagging"] = {"TagSet": listed_tags(tags)}
    operation = "PutBucketTagging" if tags else "DeleteBucketTagging"
    context.invoke(replace(context.call, service=BUCKETS, operation=operation, params=asked))
