"""`python -m clary.hooks.tied COMMAND…`: becomes the command, as one that ends with whoever has started it."""

from __future__ import annotations

import os
import sys

from clary.workload.parent import end_with_parent

if __name__ == "__main__":
    end_with_parent()
    os.umask(0o022)  # what it writes is for containers, which have users of their own
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 — the command is ours
