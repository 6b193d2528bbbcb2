"""What a container is asked, and what is said of its answer: members of the API as headers, and back
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from clary.services.sagemaker_runtime.invocation import Invocation
from clary.services.sagemaker_runtime.refusals import model_error
from clary.serving.chain import DEFAULT_TYPE
from clary.serving.client import Request
from clary.serving.many_models import TARGET_HEADER, ToModel

_PATH: Final = "/invocations"
_FORWARDED: Final = (
    ("Accept", "Accept"),
    ("CustomAttributes", "X-Amzn-SageMaker-Custom-Attributes"),
    ("InferenceId", "X-Amzn-SageMaker-Inference-Id"),
    ("SessionId", "X-Amzn-SageMaker-Session-Id"),
)
_RETURNED: Final = (
    ("content-type", "ContentType"),
    ("x-amzn-sagemaker-custom-attributes", "CustomAttributes"),
    ("x-amzn-sagemaker-new-session-id", "NewSessionId"),
    ("x-amzn-sagemaker-closed-session-id", "ClosedSessionId"),
)


_HEADER_CHARACTERS: Final = 1024
"""Of what a container says in a header that is passed on: AWS's model has no room for more of most of them, and some
clients give a whole answer up for a longer line."""


def request_of(params: dict[str, Any], way: ToModel | None) -> Request:
    """What the containers are asked; `way`: to one of many models."""
    headers = {"Content-Type": params.get("ContentType") or DEFAULT_TYPE}
    headers.update((header, params[member]) for member, header in _FORWARDED if params.get(member))
    if way is not None:
        headers[TARGET_HEADER] = way.target
    return Request("POST", _PATH, headers, params.get("Body", b""))


def check_headers(invocation: Invocation, headers: Mapping[str, str]) -> None:
    """Raises ModelError where one that is passed on is too long. No public source shows AWS's words."""
    for header, _ in _RETURNED:
        if len(headers.get(header, "")) > _HEADER_CHARACTERS:
            raise model_error(invocation, 0, f"its header {header} has more than {_HEADER_CHARACTERS} characters")


def output_of(invocation: Invocation, headers: Mapping[str, str]) -> dict[str, Any]:
    """What an answer's headers say of it, its body left out."""
    output: dict[str, Any] = {member: headers[header] for header, member in _RETURNED if header in headers}
    output.setdefault("ContentType", DEFAULT_TYPE)
    output["InvokedProductionVariant"] = invocation.variant.name
    return output
