"""`python -m clary.hooks.tied COMMAND…`: becomes the command, as one that ends with whoever has started it."""

from __future__ import annotations

import os
import sys

from clary.workload.parent import end_with_parent

if __name__ == "__main__":
    end_with_parent()
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 — the command is ours
