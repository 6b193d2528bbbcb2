"""A replica is asked, by whichever way; what goes wrong is one of AWS's errors."""

from __future__ import annotations

from typing import cast

from clary.errors import AWSError, ServiceUnavailable
from clary.services.sagemaker_runtime.invocation import EdgeContext, Invocation
from clary.services.sagemaker_runtime.refusals import THROTTLED, invalid, model_error, timed_out
from clary.services.sagemaker_runtime.stateful import closed
from clary.serving.client import Broken, Request, Response
from clary.serving.fleet import CannotStart, Turn
from clary.serving.many_models import CannotLoad
from clary.serving.router import Answer, NoReplica, Overloaded, Way
from clary.serving.routes import endpoint_id
from clary.serving.serverless import Throttled
from clary.within import within


async def ask(context: EdgeContext, invocation: Invocation, request: Request, way: Way[Answer]) -> Answer:
    """What a replica answers by this way. Raises as the operation."""
    try:
        if invocation.turn is not None:
            return cast("Answer", await _ask_serverless(context, invocation, invocation.turn, request))
        with within(context.settings.limits.invoke_seconds):
            return await context.router.ask(invocation.variant, request, invocation.walk, way)
    except TimeoutError:
        raise timed_out(invocation) from None
    except CannotStart as ended:  # no public source shows what AWS answers
        raise model_error(invocation, 0, ended.said) from None
    except CannotLoad as refused:
        raise model_error(invocation, refused.status, refused.said) from None
    except Overloaded:
        said = f"Rate exceeded: as many requests as can be answered in time wait for variant {invocation.variant.name}."
        raise AWSError(THROTTLED, said, status=429) from None
    except NoReplica:
        if invocation.session is not None and invocation.session.container:
            raise closed(invocation.session.session) from None
        raise ServiceUnavailable(f"No replica of variant {invocation.variant.name} can be reached.") from None
    except Broken as broken:
        raise model_error(invocation, 0, f"the container closed the connection: {broken}") from broken
    except ValueError as error:
        raise invalid(f"A header cannot be forwarded: {error}") from None


async def _ask_serverless(context: EdgeContext, invocation: Invocation, turn: Turn, request: Request) -> Response:
    """Raises ThrottlingException with AWS's status; AWS sends no text with it."""
    endpoint = endpoint_id(invocation.account, invocation.region, invocation.endpoint)
    try:
        return await context.serverless.ask(endpoint, invocation.variant.name, request, invocation.walk, turn)
    except Throttled:
        raise AWSError(THROTTLED, "Rate exceeded", status=400) from None
