"""How often keepers were started for one container in vain, and how patient that makes whoever starts the next.

    tries.json   {count, why}: as long as none of them has come to follow its container

The standard library only, for Pythons of 3.8 and later: keepers read this file too.
"""

# ruff: noqa: PTH118
# Paths are strings here: they are sent, received and given to the kernel as such.

from __future__ import annotations

import contextlib
import os

from clary.compute import record

TRIES = "tries.json"

MOST = 8
"""So many keepers, with pauses of 1, 2, 4, … seconds between them: a minute and a half in all."""

_LONGEST_PAUSE = 30.0
_KILLED = "it was killed each time"


def count(folder: str) -> int:
    """Those that have not come to follow the container."""
    return int((record.read(folder, TRIES) or {}).get("count", 0))


def why(folder: str) -> str:
    """What the last of them said."""
    return str((record.read(folder, TRIES) or {}).get("why") or _KILLED)


def pause(number: int) -> float:
    """Seconds to wait after so many in vain."""
    return min(_LONGEST_PAUSE, float(2 ** (number - 1))) if number > 0 else 0.0


def note(folder: str, number: int, reason: str = "") -> None:
    """The try with this number has begun, or has ended for a reason."""
    record.write(folder, TRIES, {"count": number, "why": reason or why(folder)}, durable=False)


def forget(folder: str) -> None:
    """A keeper follows the container."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(folder, TRIES))  # noqa: PTH108
