"""`python -m benchmarks…` finds the package in the folder it is started in; pytest is started by its own command."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[3]))
