"""ProfilerConfig and its rules: kept and described. Nothing is profiled, and nothing says that it was
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProfilerConfig.html)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.errors import ValidationError

_INTERVALS = (100, 200, 500, 1000, 5000, 60_000)


def check_profiler(config: Mapping[str, Any] | None) -> None:
    """Raises ValidationError."""
    if not config:
        return
    if config.get("DisableProfiler") and len(config) > 1:
        raise ValidationError("ProfilerConfig is not allowed to have fields when disabled.")
    interval = config.get("ProfilingIntervalInMilliseconds")
    if interval is not None and interval not in _INTERVALS:
        raise ValidationError(
            f"ProfilingIntervalInMilliseconds must be one of {', '.join(map(str, _INTERVALS))}; {interval} is not."
        )
