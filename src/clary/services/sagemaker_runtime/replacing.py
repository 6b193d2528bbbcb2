"""Where no replica can be asked any more: the request waits for another, or is told."""

from __future__ import annotations

from collections.abc import Awaitable

from clary.services.sagemaker_runtime.finding import published
from clary.services.sagemaker_runtime.invocation import EdgeContext, Invocation
from clary.services.sagemaker_runtime.stateful import closed
from clary.serving.client import Request
from clary.serving.replacing import Lost, once_there
from clary.serving.router import Answer, Overloaded, Way
from clary.serving.routes import VariantRoute


async def ask_replacement(
    context: EdgeContext, invocation: Invocation, request: Request, way: Way[Answer], lost: Lost
) -> Answer:
    """What one answers that takes the place of those that are gone; none can take that of a session's. An overload is
    refused at once."""
    router, call = context.router, context.call
    if isinstance(lost, Overloaded):
        raise lost
    if invocation.session is not None and invocation.session.container:
        raise closed(invocation.session.session)
    name = published(call, invocation.endpoint, invocation.component)

    def ask(variant: VariantRoute) -> Awaitable[Answer]:
        return router.ask(variant, request, invocation.walk, way)

    seconds = context.settings.limits.replica_seconds
    return await once_there(router, lambda: router.again(name, invocation.variant), ask, lost, seconds)
