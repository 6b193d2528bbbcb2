"""What an invocation is answered that has no answer: ValidationError, ModelError, ModelNotReadyException, and others
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html)."""

from __future__ import annotations

from typing import Final

from clary.errors import AWSError
from clary.services.sagemaker_runtime.invocation import Invocation
from clary.services.sagemaker_runtime.service import log_group_arn

_MESSAGE_CHARACTERS = 4096
THROTTLED: Final = "ThrottlingException"


def invalid(message: str) -> AWSError:
    """What the request asks for cannot be."""
    return AWSError("ValidationError", message)


def check_size(body: bytes, limit: int) -> None:
    """Raises 413 where the body has more bytes."""
    if len(body) > limit:
        raise AWSError("413", f"HTTP content length exceeded {limit} bytes.", status=413)


def timed_out(invocation: Invocation) -> AWSError:
    """The code of a model that is still being loaded is AWS's, and has SDKs try again; its text is shown nowhere."""
    if invocation.way is not None and invocation.way.waiting:
        still = f"The model {invocation.way.target} is not loaded yet. Please try again."
        return AWSError("ModelNotReadyException", still, status=429)
    text = (
        f"Your invocation timed out while waiting for a response from container {invocation.asked}. "
        "Review the latency metrics for each container in Amazon CloudWatch, resolve the issue, and try again."
    )
    return model_error(invocation, 0, text)


def model_error(invocation: Invocation, status: int, said: str) -> AWSError:
    """The model has answered with this status; 0: it has not answered."""
    said = said[:_MESSAGE_CHARACTERS]
    side = "client" if 400 <= status < 500 else "server"
    message = (
        f'Received {side} error ({status}) from {invocation.asked} with message "{said}". '
        f"See {_console(invocation)} in account {invocation.account} for more information."
    )
    members = {
        "OriginalStatusCode": status,
        "OriginalMessage": said,
        "LogStreamArn": log_group_arn(invocation.region, invocation.account, invocation.log_group),
    }
    return AWSError("ModelError", message, status=424, members=members)


def _console(invocation: Invocation) -> str:
    region = invocation.region
    return (
        f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}"
        f"#logEventViewer:group={invocation.log_group}"
    )
