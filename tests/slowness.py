"""How slow this machine is at this moment, for tests of what takes seconds."""

from __future__ import annotations

import subprocess
import sys
import time

_IDLE_SECONDS = 0.02
"""What a bare Python takes to start and end where it has a processor for itself."""


def slowness() -> float:
    """How many times longer than that it takes here and now, beside all that the machine has to do; at least once."""
    begun = time.monotonic()
    subprocess.run([sys.executable, "-I", "-S", "-c", ""], check=True)
    return max(1.0, (time.monotonic() - begun) / _IDLE_SECONDS)
