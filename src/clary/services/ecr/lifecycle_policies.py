"""Lifecycle policies of repositories, and what they would let go
(https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutLifecyclePolicy.html)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from clary.services.context import Context
from clary.services.ecr.errors import invalid, no_lifecycle_policy, no_preview
from clary.services.ecr.image_listing import paging
from clary.services.ecr.lifecycle import BadPolicy, Candidate, expired, read
from clary.services.ecr.names import digest_of
from clary.services.ecr.rows import change_repository, named, require_repository
from clary.services.ecr.service import SERVICE
from clary.services.ecr.standing import Standing
from clary.services.placed import page
from clary.services.resources import Output, Params, now, present
from clary.store.rows import Row

POLICY = "lifecyclePolicy"
"""In a repository's state: `text`, and `evaluated`, epoch seconds."""

_PREVIEW = "lifecyclePreview"
_PREVIEWED = 100


def candidates(standing: Standing) -> list[Candidate]:
    """A repository's images as lifecycle policies see them."""
    tags, listed = standing.tags, standing.listed_by
    return [
        _candidate(row, tags.get(digest_of(row.key), []), listed.get(digest_of(row.key), [])) for row in standing.images
    ]


def _candidate(row: Row, tags: list[str], listed_by: list[str]) -> Candidate:
    pulled = row.state.get("pulled")
    moment = datetime.fromtimestamp(pulled, UTC) if pulled else None
    return Candidate(digest_of(row.key), tuple(tags), row.created, moment, tuple(listed_by))


@SERVICE.operation("PutLifecyclePolicy")
def put(context: Context, params: Params) -> Output:
    """Applied soon after. Raises RepositoryNotFoundException, InvalidParameterException."""
    text = params["lifecyclePolicyText"]
    _check(text)
    row = change_repository(context, params, lambda row: _with(row, POLICY, {"text": text}))
    context.wake(row.key)
    return {**named(row.key), "lifecyclePolicyText": text}


def _check(text: str) -> None:
    try:
        read(text)
    except BadPolicy as reason:
        raise invalid("LifecyclePolicyText", f"Lifecycle policy validation failure: {reason}") from None


def _with(row: Row, member: str, value: Mapping[str, Any] | None) -> Row:
    state = {name: kept for name, kept in row.state.items() if name != member}
    return replace(row, state=state if value is None else {**state, member: dict(value)})


@SERVICE.operation("GetLifecyclePolicy")
def get(context: Context, params: Params) -> Output:
    """Raises RepositoryNotFoundException, LifecyclePolicyNotFoundException."""
    row = require_repository(context, params)
    return {**named(row.key), **_shown(row)}


def _shown(row: Row) -> Output:
    policy = row.state.get(POLICY)
    if policy is None:
        raise no_lifecycle_policy(row.key)
    evaluated = datetime.fromtimestamp(policy.get("evaluated", 0), UTC)
    return {"lifecyclePolicyText": policy["text"], "lastEvaluatedAt": evaluated}


@SERVICE.operation("DeleteLifecyclePolicy")
def delete(context: Context, params: Params) -> Output:
    """Raises RepositoryNotFoundException, LifecyclePolicyNotFoundException."""
    shown: Output = {}

    def change(row: Row) -> Row:
        shown.update(_shown(row))
        return _with(row, POLICY, None)

    row = change_repository(context, params, change)
    return {**named(row.key), **shown}


@SERVICE.operation("StartLifecyclePolicyPreview")
def start_preview(context: Context, params: Params) -> Output:
    """Of the text that is given, or of the repository's own policy. GetLifecyclePolicyPreview tells.

    Raises RepositoryNotFoundException, LifecyclePolicyNotFoundException, InvalidParameterException.
    """
    repository = require_repository(context, params)
    text = params.get("lifecyclePolicyText") or _shown(repository)["lifecyclePolicyText"]
    _check(text)
    going = expired(read(text), candidates(Standing.of(context.store.read, repository.key)), now())
    results = [
        {"digest": image.digest, "tags": list(image.tags), "pushed": image.pushed.timestamp(), "priority": priority}
        for image, priority in going
    ]
    change_repository(context, params, lambda row: _with(row, _PREVIEW, {"text": text, "results": results}))
    return {**named(repository.key), "lifecyclePolicyText": text, "status": "IN_PROGRESS"}


@SERVICE.operation("GetLifecyclePolicyPreview")
def get_preview(context: Context, params: Params) -> Output:
    """Raises RepositoryNotFoundException, LifecyclePolicyPreviewNotFoundException."""
    row = require_repository(context, params)
    preview = row.state.get(_PREVIEW)
    if preview is None:
        raise no_preview(row.key)
    wanted = [each for each in preview["results"] if _wanted(each, params)]
    placed = [([each["pushed"], each["digest"]], _previewed(each)) for each in wanted]
    limit = params.get("maxResults") or _PREVIEWED
    shown, token = page(placed, paging(params), limit, descending=False)
    return present(
        {
            **named(row.key),
            "lifecyclePolicyText": preview["text"],
            "status": "COMPLETE",
            "previewResults": shown,
            "nextToken": token,
            "summary": {"expiringImageTotalCount": len(preview["results"])},
        }
    )


def _wanted(result: Mapping[str, Any], params: Params) -> bool:
    status = (params.get("filter") or {}).get("tagStatus", "ANY")
    if status != "ANY" and bool(result["tags"]) != (status == "TAGGED"):
        return False
    ids = params.get("imageIds")
    return not ids or any(
        each.get("imageDigest") in (None, result["digest"]) and each.get("imageTag") in (None, *result["tags"])
        for each in ids
    )


def _previewed(result: Mapping[str, Any]) -> Output:
    return {
        "imageTags": result["tags"],
        "imageDigest": result["digest"],
        "imagePushedAt": datetime.fromtimestamp(result["pushed"], UTC),
        "action": {"type": "EXPIRE"},
        "appliedRulePriority": result["priority"],
    }
