"""ECR: what is offered, and the right that each operation needs
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from clary.calls import Access, Call
from clary.services.ecr.names import repository_arn
from clary.services.registry import Service


def access(call: Call) -> list[Access]:
    """`ecr:<Operation>` on each repository that is named, on `*` where none is; `ecr:TagResource` besides where a
    repository is made with tags."""
    action, conditions = f"ecr:{call.operation}", dict(_conditions(call))
    needed = [Access(action, resource, conditions) for resource in _resources(call) or ["*"]]
    if call.operation == "CreateRepository" and call.params.get("tags"):
        needed.append(Access("ecr:TagResource", needed[0].resource, conditions))
    return needed


def _resources(call: Call) -> list[str]:
    params = call.params
    if "resourceArn" in params:
        return [params["resourceArn"]]
    names = params.get("repositoryNames") or ([params["repositoryName"]] if "repositoryName" in params else [])
    if not names and call.operation == "DescribeRepositories":
        names = ["*"]
    account = params.get("registryId") or call.principal.account
    return [repository_arn(call.region, account, name) for name in names]


def _conditions(call: Call) -> Iterator[tuple[str, str | Sequence[str]]]:
    tags = call.params.get("tags") or ()
    for tag in tags:
        yield f"aws:RequestTag/{tag['Key']}", tag["Value"]
    keys = [tag["Key"] for tag in tags] or call.params.get("tagKeys")
    if keys:
        yield "aws:TagKeys", keys


SERVICE = Service("ecr", access, "clary.services.ecr.operations")
