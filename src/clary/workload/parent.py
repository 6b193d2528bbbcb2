"""For children of control: who goes on with their work after a crash must not meet them at it.

Standard library only.
"""

from __future__ import annotations

import ctypes
import signal

_PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """This process is killed when the thread that began it ends, and so when its process does."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
