"""What images there are (https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeImages.html)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from clary.services.context import Context
from clary.services.ecr.errors import invalid, no_image
from clary.services.ecr.images import fault, find
from clary.services.ecr.manifests import DOCKER_MANIFEST
from clary.services.ecr.names import IMAGE, digest_of
from clary.services.ecr.rows import named, require_repository
from clary.services.ecr.service import SERVICE
from clary.services.ecr.standing import Standing
from clary.services.placed import Place, page
from clary.services.resources import Output, Params, present
from clary.store.rows import Key, Row

PAGE = 100
_REFERRERS = 50
_IMAGE_CONFIG = "application/vnd.docker.container.image.v1+json"


@SERVICE.operation("ListImages")
def listed(context: Context, params: Params) -> Output:
    """Each tag with its digest, and images without tags. Raises RepositoryNotFoundException."""
    repository = require_repository(context, params).key
    standing = Standing.of(context.store.read, repository)
    tags = standing.tags
    placed: list[tuple[Place, Output]] = [
        ([digest_of(row.key), tag], present({"imageDigest": digest_of(row.key), "imageTag": tag or None}))
        for row in _wanted(standing, params)
        for tag in tags[digest_of(row.key)] or [""]
    ]
    return _page("imageIds", placed, params)


@SERVICE.operation("DescribeImages")
def describe(context: Context, params: Params) -> Output:
    """By id, or all in pages, oldest first. Raises RepositoryNotFoundException, ImageNotFoundException."""
    repository = require_repository(context, params).key
    standing = Standing.of(context.store.read, repository)
    tags = standing.tags
    if params.get("imageIds"):
        rows = [_require(context, repository, wanted) for wanted in params["imageIds"]]
        unique = {row.key: row for row in rows}.values()
        return {"imageDetails": [_detail(row, repository, tags) for row in unique]}
    placed = [
        ([row.created.timestamp(), row.key.name], _detail(row, repository, tags)) for row in _wanted(standing, params)
    ]
    return _page("imageDetails", placed, params)


@SERVICE.operation("ListImageReferrers")
def referrers(context: Context, params: Params) -> Output:
    """Manifests whose subject is the one that is named: signatures, bills of materials.

    Raises RepositoryNotFoundException.
    """
    repository = require_repository(context, params).key
    subject = params["subjectId"]["imageDigest"]
    types = (params.get("filter") or {}).get("artifactTypes") or ()
    placed: list[tuple[Place, Output]] = [
        ([row.key.name], _referrer(row))
        for row in context.store.read.children(IMAGE, repository)
        if row.spec["subject"] == subject and (not types or row.spec["artifactType"] in types)
    ]
    return _page("referrers", placed, params, _REFERRERS)


def _referrer(row: Row) -> Output:
    return present(
        {
            "digest": digest_of(row.key),
            "mediaType": row.spec["mediaType"],
            "artifactType": row.spec["artifactType"] or None,
            "size": row.spec["manifestSize"],
            "annotations": row.spec.get("annotations"),
            "artifactStatus": "ACTIVE",
        }
    )


def _page(member: str, placed: list[tuple[Place, Output]], params: Params, default: int = PAGE) -> Output:
    limit = params.get("maxResults") or default
    shown, token = page(placed, paging(params), limit, descending=False)
    return present({member: shown, "nextToken": token})


def paging(params: Params) -> Params:
    """A request with the names that paging has elsewhere."""
    asked = {name: value for name, value in params.items() if name not in ("nextToken", "maxResults")}
    return {**asked, "NextToken": params.get("nextToken")}


def _wanted(standing: Standing, params: Params) -> Sequence[Row]:
    status = (params.get("filter") or {}).get("tagStatus", "ANY")
    if status == "ANY":
        return standing.images
    tagged = status == "TAGGED"
    return [row for row in standing.images if bool(standing.tags.get(digest_of(row.key))) == tagged]


def _require(context: Context, repository: Key, wanted: Params) -> Row:
    problem = fault(wanted)
    if problem in ("MissingDigestAndTag", "InvalidImageDigest", "InvalidImageTag"):
        raise invalid("imageIds", problem)
    row = find(context, repository, wanted)
    if row is None:
        raise no_image(repository, wanted.get("imageDigest"), wanted.get("imageTag"))
    return row


def _detail(row: Row, repository: Key, tags: dict[str, list[str]]) -> Output:
    digest, pulled = digest_of(row.key), row.state.get("pulled")
    return present(
        {
            **named(repository),
            "imageDigest": digest,
            "imageTags": tags[digest] or None,
            "imageSizeInBytes": row.spec["size"],
            "imagePushedAt": row.created,
            "imageManifestMediaType": row.spec["mediaType"],
            "artifactMediaType": row.spec["artifactType"] or (_IMAGE_CONFIG if _is_docker(row) else None),
            "lastRecordedPullTime": datetime.fromtimestamp(pulled, UTC) if pulled else None,
            "subjectManifestDigest": row.spec["subject"] or None,
            "imageStatus": "ACTIVE",
        }
    )


def _is_docker(row: Row) -> bool:
    return bool(row.spec["mediaType"] == DOCKER_MANIFEST)
