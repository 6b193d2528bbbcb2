"""What topics and logs are told of a request that is over: pure
(https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-check-predictions.html)."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

from clary.serving.asynchronous.requests import AsyncRequest

INCLUDED_BYTES = 128 * 1024
"""A larger answer does not stand in the notification."""

_VERSION, _SOURCE, _NAME = "1.0", "aws:sagemaker", "InferenceResult"
_ELSEWHERE = "Check S3 path location(if configured) or Cloudwatch for additional details."
_PARAMETERS = (("Accept", "accept"), ("ContentType", "contentType"), ("CustomAttributes", "customAttributes"))


def completed(request: AsyncRequest, now: float, content_type: str, answer: bytes | None) -> str:
    """Of one that was answered; with the `answer` where it is to stand there."""
    output = {"contentType": content_type, "outputLocation": request.output}
    return _said(request, now, "Completed", responseParameters=output, **_body(answer))


def failed(request: AsyncRequest, now: float, reason: str, answer: bytes | None) -> str:
    """Of one that was not, or not well; with what the model has said where it is to stand there."""
    return _said(request, now, "Failed", failureReason=reason, **_body(answer))


def log_line(request: AsyncRequest, now: float, said: str) -> str:
    """A line of the endpoint's data log."""
    return f"{_stamp(now)[:-1]}:[sagemaker logs] [{request.inference_id}] {said}"


def _said(request: AsyncRequest, now: float, status: str, **more: Any) -> str:  # noqa: ANN401  any JSON
    parameters = {member: request.params[name] for name, member in _PARAMETERS if name in request.params}
    place = {"inputLocation": request.input} if request.input else {}
    return json.dumps(
        {
            "awsRegion": request.owner.region,
            "eventTime": _stamp(now),
            "receivedTime": _stamp(request.accepted),
            "invocationStatus": status,
            "requestParameters": {**parameters, "endpointName": request.owner.endpoint, **place},
            **more,
            "inferenceId": request.inference_id,
            "eventVersion": _VERSION,
            "eventSource": _SOURCE,
            "eventName": _NAME,
        },
        separators=(",", ":"),
    )


def _body(answer: bytes | None) -> dict[str, Any]:
    if answer is None or len(answer) > INCLUDED_BYTES:
        return {}
    content = base64.b64encode(answer).decode()
    return {"responseBody": {"content": content, "message": _ELSEWHERE, "encoding": "BASE64"}}


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
