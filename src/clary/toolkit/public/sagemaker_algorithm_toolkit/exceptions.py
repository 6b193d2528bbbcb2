"""`exceptions`: what a script catches or raises."""

from __future__ import annotations

from clary.toolkit.errors import AlgorithmError, UserError

__all__ = ["AlgorithmError", "UserError"]
