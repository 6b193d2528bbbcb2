"""Where users' expressions are matched."""

from __future__ import annotations

from clary.workload.asking import Asking, TooSlow

__all__ = ["MATCHING", "TooSlow"]

MATCHING = Asking("clary.workload.metrics")
"""Of this process."""
