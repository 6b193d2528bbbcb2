"""The recipes of CONTRIBUTING.md, followed: what they say is enough."""

from __future__ import annotations

import re
from pathlib import Path

from clary.calls import Access
from clary.errors import ValidationError
from clary.gateway.call import InnerDoor
from clary.services.declaring import declare
from clary.services.registry import Registry, Service
from clary.services.resources import Resource

ROOT = Path(__file__).parent.parent.parent.parent


def access(call):
    return [Access(f"{call.service}:{call.operation}", "*")]


def offering(inner, service):
    """A control that offers this service alone."""
    inner.door = InnerDoor(Registry([service]), inner.authorizer, inner._run)
    return inner


def test_a_new_operation_is_one_function(inner):
    service = Service("ssm", access)

    @service.operation("GetParameter", effect="keeps state")
    def get_parameter(context, params):
        return {"Parameter": {"Name": params["Name"], "Value": context.region}}

    answer = offering(inner, service)("ssm", "GetParameter", Name="where")
    assert answer["Parameter"]["Value"] == "us-east-1"
    assert [needed.action for needed in inner.authorizer.needed] == ["ssm:GetParameter"]


def test_a_resource_that_is_only_state_is_one_declaration(inner):
    service = Service("sagemaker", access)
    declare(
        service,
        Resource(
            kind="context",
            noun="Context",
            list_member="ContextSummaries",
            exists=lambda arn: ValidationError(f"{arn} exists."),
            missing=lambda arn: ValidationError(f"{arn} does not exist."),
        ),
        effect="keeps state",
    )
    call = offering(inner, service)
    created = call(
        "sagemaker", "CreateContext", ContextName="one", ContextType="Test", Source={"SourceUri": "s3://data/one"}
    )
    assert call("sagemaker", "DescribeContext", ContextName="one")["ContextType"] == "Test"
    assert call("sagemaker", "ListContexts")["ContextSummaries"][0]["ContextArn"] == created["ContextArn"]
    call("sagemaker", "DeleteContext", ContextName="one")
    assert call.refusal("sagemaker", "DescribeContext", ContextName="one")[0] == "ValidationException"


def test_the_page_on_an_algorithm_of_ones_own_shows_its_file():
    page = (ROOT / "docs" / "algorithms" / "own.md").read_text()
    shown, *_ = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    declared, *_ = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert shown in (ROOT / "examples" / "own_algorithm" / "nearest_centroid.py").read_text()
    assert declared in (ROOT / "examples" / "own_algorithm" / "pyproject.toml").read_text()
