"""Hyperparameters as an algorithm sees them: checked, typed, with their defaults."""

from __future__ import annotations

from typing import Any, Mapping, Optional

from clary.algorithms.base.schema import AUTO, Choice, Flag, Kind, Text, Value, parse

COMMON: Mapping[str, Kind] = {
    "_enable_profiler": Flag("false"),
    "_kvstore": Text(AUTO),
    "_log_level": Choice("info", ("debug", "info", "warning", "warn", "error", "critical")),
    "_num_gpus": Text(AUTO),
    "_num_kv_servers": Text(AUTO),
    "_tuning_objective_metric": Text(""),
}
"""What each of AWS's own algorithms accepts besides its documented hyperparameters."""


class Hyperparameters:
    """Checked values; `given` are those of the request. Raises ValidationError where one is not valid."""

    def __init__(self, given: Mapping[str, Any], kinds: Mapping[str, Kind]) -> None:
        self.given = dict(given)
        self.values: Mapping[str, Value] = parse(given, {**kinds, **COMMON})

    def word(self, name: str) -> str:
        """A word."""
        return str(self.values[name])

    def flag(self, name: str) -> bool:
        """Whether it is on."""
        return bool(self.values[name])

    def number(self, name: str) -> float:
        """A number that is always there."""
        return float(self.values[name])

    def whole(self, name: str) -> int:
        """A whole number that is always there."""
        return int(self.values[name])

    def number_or_auto(self, name: str) -> Optional[float]:
        """A number, or None for `auto`."""
        return None if self.values[name] == AUTO else float(self.values[name])

    def whole_or_auto(self, name: str) -> Optional[int]:
        """A whole number, or None for `auto`."""
        return None if self.values[name] == AUTO else int(self.values[name])

    def flag_or_auto(self, name: str) -> Optional[bool]:
        """Whether it is on, or None for `auto`."""
        return None if self.values[name] == AUTO else self.values[name] == "true"
