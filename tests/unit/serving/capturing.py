"""Places and exchanges as edges note them."""

from __future__ import annotations

from typing import Any

from clary.serving.capture import Capture
from clary.serving.spool import Exchange, Place

CONFIG = {
    "EnableCapture": True,
    "InitialSamplingPercentage": 100,
    "DestinationS3Uri": "s3://captured/below/",
    "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]},
}


def capture(**changes: Any) -> Capture:
    return Capture.of({**CONFIG, **changes}, "arn:aws:iam::000000000000:role/R")


def place(variant: str = "v", endpoint: str = "e", **changes: Any) -> Place:
    return Place(
        "000000000000", "us-east-1", endpoint, variant, f"/aws/sagemaker/Endpoints/{endpoint}", capture(**changes)
    )


def exchange(number: int = 0, **changes: Any) -> Exchange:
    made = Exchange(f"{number:032x}", "", "", "text/csv", "text/csv; charset=utf-8", f"{number},2".encode(), b"0.5")
    return made._replace(**changes)
