"""How much of this machine functions may have together."""

from __future__ import annotations

_MOST = 1000
"""Invocations under way at once in an account and region, as on AWS."""

_FEWEST = 10
"""As many as new accounts of AWS have."""

_EACH_BYTES = 32 * 2**20
"""Of an environment's own, forked from a warm parent, with what a small function imports."""


def concurrency(memory_bytes: int) -> int:
    """ConcurrentExecutions of GetAccountSettings, on a machine with so much memory."""
    return max(_FEWEST, min(_MOST, memory_bytes // 2 // _EACH_BYTES))
