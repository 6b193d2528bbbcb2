"""What an endpoint's AsyncInferenceConfig asks for, as the edge is told of it with the route
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AsyncInferenceConfig.html)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PER_INSTANCE = 4
"""MaxConcurrentInvocationsPerInstance where the configuration has none: AWS "chooses an optimal value" and does not say
which."""

ON_SUCCESS, ON_ERROR = "SUCCESS_NOTIFICATION_TOPIC", "ERROR_NOTIFICATION_TOPIC"
"""The values of IncludeInferenceResponseIn."""


@dataclass(frozen=True)
class Asynchronous:
    """Of one endpoint."""

    id: str
    """Of the endpoint itself: another one of the same name has another."""
    output: str
    """S3OutputPath."""
    failure: str = ""
    """S3FailurePath; empty: only notifications tell of failures."""
    kms_key: str = ""
    success_topic: str = ""
    error_topic: str = ""
    included: tuple[str, ...] = ()
    """In which notifications the answer stands: ON_SUCCESS, ON_ERROR."""
    per_instance: int = PER_INSTANCE
    """Requests that one instance is given at once."""
    role: str = ""
    """The model's execution role, in whose name objects are read and written and notifications sent."""

    @classmethod
    def of(cls, config: Mapping[str, Any], role: str, id_: str) -> Asynchronous:
        """From an AsyncInferenceConfig."""
        output: Mapping[str, Any] = config["OutputConfig"]
        topics: Mapping[str, Any] = output.get("NotificationConfig") or {}
        client: Mapping[str, Any] = config.get("ClientConfig") or {}
        return cls(
            id_,
            output["S3OutputPath"],
            output.get("S3FailurePath", ""),
            output.get("KmsKeyId", ""),
            topics.get("SuccessTopic", ""),
            topics.get("ErrorTopic", ""),
            tuple(topics.get("IncludeInferenceResponseIn", ())),
            client.get("MaxConcurrentInvocationsPerInstance", PER_INSTANCE),
            role,
        )

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Asynchronous:
        """From a published document."""
        return cls(**{**raw, "included": tuple(raw["included"])})
