"""All tags of an account in a region, by the ARNs of what has them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from clary.names import Arn
from clary.services.context import Context

Tagged = Mapping[str, Mapping[str, str]]
"""ARN → key → value."""

OWNED = (
    *("application-autoscaling", "cloudwatch", "ecr", "kms", "lambda", "logs", "sagemaker", "secretsmanager"),
    *("sns", "sqs", "ssm"),
)
"""Services whose ARNs hold account and region."""

APIS, BUCKETS = "apigateway", "s3"
"""Services whose ARNs hold the region only, and not even that."""

_STAGE = re.compile(r"/stages/[^/]+\Z")


def tagged(context: Context) -> Tagged:
    """Ordered by ARN. What has no tag is not there."""
    found: dict[str, Mapping[str, str]] = {}
    for service in OWNED:
        found |= context.store.read.tags_below(str(Arn(service, context.region, context.account, "")))
    found |= _of_apis(context)
    found |= _of_buckets(context)
    return dict(sorted(found.items()))


def _of_apis(context: Context) -> Iterator[tuple[str, Mapping[str, str]]]:
    for arn, tags in context.store.read.tags_below(str(Arn(APIS, context.region, "", ""))).items():
        row = context.store.read.by_arn(_STAGE.sub("", arn))
        if row is not None and row.key.account == context.account:
            yield arn, tags


def _of_buckets(context: Context) -> Iterator[tuple[str, Mapping[str, str]]]:
    for bucket in context.objects.buckets(context.account):
        tags = bucket.settings.get("Tagging")
        if tags and bucket.region == context.region:
            yield str(Arn(BUCKETS, "", "", bucket.name)), tags
