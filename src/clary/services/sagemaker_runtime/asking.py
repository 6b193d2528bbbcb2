"""A replica is asked, by whichever way; what goes wrong is one of AWS's errors."""

from __future__ import annotations

from typing import cast

from clary.errors import AWSError, ServiceUnavailable
from clary.services.sagemaker_runtime.invocation import EdgeContext, Invocation
from clary.services.sagemaker_runtime.refusals import THROTTLED, invalid, model_error, timed_out
from clary.services.sagemaker_runtime.replacing import ask_replacement
from clary.serving.client import Broken, Request, Response
from clary.serving.fleet import CannotStart, Turn
from clary.serving.many_models import CannotLoad
from clary.serving.router import Answer, NoReplica, Overloaded, ReplicaDied, Way
from clary.serving.routes import endpoint_id
from clary.serving.serverless import Throttled
from clary.within import within


async def ask(context: EdgeContext, invocation: Invocation, request: Request, way: Way[Answer]) -> Answer:
    """What a replica answers by this way. Raises as the operation."""
    try:
        if invocation.turn is not None:
            return cast("Answer", await _ask_serverless(context, invocation, invocation.turn, request))
        with within(context.settings.limits.invoke_seconds):
            try:
                return await context.router.ask(invocation.variant, request, invocation.walk, way)
            except (NoReplica, ReplicaDied) as gone:
                lost = gone
            return await ask_replacement(context, invocation, request, way, lost)
    except TimeoutError:
        raise timed_out(invocation) from None
    except (CannotStart, CannotLoad) as failed:  # of the first no public source shows what AWS answers
        raise model_error(invocation, failed.status, failed.said) from None
    except Overloaded:
        said = f"Rate exceeded: as many requests as can be answered in time wait for variant {invocation.variant.name}."
        raise AWSError(THROTTLED, said, status=429) from None
    except NoReplica:
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
