"""Trying a method without deploying it (https://docs.aws.amazon.com/apigateway/latest/api/API_TestInvokeMethod.html)."""

from __future__ import annotations

from typing import Any

from clary.services.apigateway.service import SERVICE
from clary.services.context import EdgeContext


@SERVICE.operation("TestInvokeMethod", place="edge")
async def test_invoke_method(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    return await context.apis.test_method(context.call.principal.account, context.call.region, params)


@SERVICE.operation("TestInvokeAuthorizer", place="edge")
async def test_invoke_authorizer(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    return await context.apis.test_authorizer(context.call.principal.account, context.call.region, params)
