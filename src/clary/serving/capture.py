"""What of an endpoint's traffic is captured: DataCaptureConfig as edges need it
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DataCaptureConfig.html)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_INPUT = frozenset({"Input", "InputAndOutput"})
_OUTPUT = frozenset({"Output", "InputAndOutput"})


def is_on(config: Mapping[str, Any]) -> bool:
    """Whether a DataCaptureConfig captures: it does where EnableCapture does not stand there."""
    return config.get("EnableCapture", True) is not False


@dataclass(frozen=True)
class Capture:
    """What is captured of one variant, and where it goes."""

    destination: str
    """DestinationS3Uri."""
    percentage: int
    """Of the requests, by chance."""
    input: bool
    output: bool
    csv: tuple[str, ...]
    """Content types whose bodies are written as they are, with `CSV` for their encoding."""
    json: tuple[str, ...]
    """The same, with `JSON`; all others are written in base64."""
    kms_key: str
    role: str
    """Whose rights write the objects: the model's execution role; empty where it has none."""

    @classmethod
    def of(cls, config: Mapping[str, Any], role: str) -> Capture:
        """From a DataCaptureConfig."""
        modes = {option["CaptureMode"] for option in config["CaptureOptions"]}
        types = config.get("CaptureContentTypeHeader") or {}
        return cls(
            destination=config["DestinationS3Uri"],
            percentage=config["InitialSamplingPercentage"],
            input=not modes.isdisjoint(_INPUT),
            output=not modes.isdisjoint(_OUTPUT),
            csv=tuple(types.get("CsvContentTypes") or ()),
            json=tuple(types.get("JsonContentTypes") or ()),
            kms_key=config.get("KmsKeyId", ""),
            role=role,
        )

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Capture:
        """From a published document."""
        return cls(**{**raw, "csv": tuple(raw["csv"]), "json": tuple(raw["json"])})
