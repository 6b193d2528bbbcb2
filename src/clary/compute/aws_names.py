"""Names of AWS's hosts, as one certificate can say them: `*.` stands for one label and no more (RFC 6125, 6.4.3).

The regions and the domains of each partition are those that botocore knows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import botocore

_GLOBAL = "-global"
"""What pseudo-regions end with."""

_OF_REGION = (
    "*.{region}.{domain}",
    "*.dualstack.{region}.{domain}",
    "*.dkr.ecr.{region}.{domain}",
    "*.ecr.{region}.{domain}",
    "*.execute-api.{region}.{domain}",
    "*.s3-control.{region}.{domain}",
    "*.s3-{region}.{domain}",
    "*.s3.dualstack.{region}.{domain}",
    "*.s3.{region}.{domain}",
    "*.sagemaker.{region}.{domain}",
    "*.{region}.{dual_stack}",
    "*.sagemaker.{region}.{dual_stack}",
)
"""Services that Clary offers: their own host is one label (`sts`, `s3`); what belongs to somebody (a bucket, a
registry, an API) or is a part of a service (`runtime.sagemaker`, `api.ecr`) is one more."""

_OF_PARTITION = ("*.{domain}", "*.s3.{domain}")
"""`sts`, `iam`, `s3` and `s3-REGION`, and buckets without a region."""

_FUNCTION_URLS = "on.aws"
"""Of Lambda, in the partition `aws` (https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html)."""


def names() -> list[str]:
    """All of them, sorted; some 600."""
    return sorted({name for partition in partitions() for name in _of(partition)})


def domains() -> list[str]:
    """What all of them are below."""
    found = {partition["outputs"][key] for partition in partitions() for key in ("dnsSuffix", "dualStackDnsSuffix")}
    return sorted(found | {_FUNCTION_URLS})


def _of(partition: dict[str, Any]) -> Iterator[str]:
    suffixes = {
        "domain": partition["outputs"]["dnsSuffix"],
        "dual_stack": partition["outputs"]["dualStackDnsSuffix"],
    }
    yield from (pattern.format(**suffixes) for pattern in _OF_PARTITION)
    for region in partition["regions"]:
        if region.endswith(_GLOBAL):
            continue
        yield from (pattern.format(region=region, **suffixes) for pattern in _OF_REGION)
        if partition["id"] == "aws":
            yield f"*.lambda-url.{region}.{_FUNCTION_URLS}"


def partitions() -> list[dict[str, Any]]:
    """As botocore ships them: `id`, `outputs`, `regions`."""
    found: list[dict[str, Any]] = json.loads((Path(botocore.__file__).parent / "data/partitions.json").read_text())[
        "partitions"
    ]
    return found


@cache
def region_name(region: str) -> str:
    """`US East (N. Virginia)`; the code itself of a region that botocore does not know."""
    known = (each["regions"].get(region) for each in partitions())
    return next((str(found["description"]) for found in known if found), region)
