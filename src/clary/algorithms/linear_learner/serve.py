"""`serve` of the Linear Learner image: `python -m clary.algorithms.linear_learner.serve`."""

from __future__ import annotations

import os
import sys

from clary.algorithms.linear_learner.serving import LinearLearnerService
from clary.toolkit import serve as contract
from clary.toolkit.layout import Layout
from clary.toolkit.server import serving


def main() -> int:
    """The exit code."""
    contract.configure_logs(os.environ)
    return serving.serve(lambda: LinearLearnerService(Layout(os.environ), os.environ), os.environ)


if __name__ == "__main__":
    sys.exit(main())
