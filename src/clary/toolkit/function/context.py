"""The second argument of every handler (https://docs.aws.amazon.com/lambda/latest/dg/python-context.html)."""

from __future__ import annotations

import json
import os
import sys
import time
from types import SimpleNamespace
from typing import Any, Optional

from clary.toolkit.function.frames import Head


class LambdaContext:
    """What a handler may know of its invocation."""

    def __init__(self, head: Head) -> None:
        self.aws_request_id = head["id"]
        self.invoked_function_arn = head["arn"]
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.client_context = _client_context(head.get("client_context"))
        self.identity = SimpleNamespace(cognito_identity_id=None, cognito_identity_pool_id=None)
        self.tenant_id = None
        self._deadline = float(head["deadline"])

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the invocation is ended."""
        return max(0, int((self._deadline - time.time()) * 1000))

    def log(self, message: Any) -> None:  # noqa: ANN401  whatever is printed
        """Write to the log."""
        sys.stdout.write(str(message))

    def __repr__(self) -> str:
        return "LambdaContext([aws_request_id={},invoked_function_arn={}])".format(
            self.aws_request_id, self.invoked_function_arn
        )


def _client_context(text: Optional[str]) -> Optional[SimpleNamespace]:
    """What mobile clients send: `custom`, `env` and `client`."""
    if not text:
        return None
    said = json.loads(text)
    client = said.get("client")
    names = ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name")
    return SimpleNamespace(
        custom=said.get("custom"),
        env=said.get("env"),
        client=SimpleNamespace(**{name: client.get(name) for name in names}) if client else None,
    )
