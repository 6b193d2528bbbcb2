"""`framework.worker`: the answer that an `output_fn` of that time returns."""

from __future__ import annotations

from typing import Any, Optional

from sagemaker_inference import content_types

Body = Any
"""Text or bytes; headers are whatever the script gives."""


class Response:
    """A body with its content type: `worker.Response(body, mimetype=accept)`."""

    def __init__(
        self,
        response: Body = None,
        status: int = 200,
        headers: Body = None,
        mimetype: str = content_types.JSON,
        accept: Optional[str] = None,
    ) -> None:
        self.status_code = status
        self.headers = headers
        self.mimetype = accept or mimetype
        self.response = response

    def get_data(self) -> bytes:
        """The body's bytes."""
        return self.response.encode("utf-8") if isinstance(self.response, str) else bytes(self.response or b"")
