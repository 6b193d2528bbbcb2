"""`serve` of the images for compiled models: `python -m clary.algorithms.neo.serve trees`, or `tensors`."""

from __future__ import annotations

import os
import sys
from typing import Callable, Mapping

from clary.algorithms.neo.tensors import TensorsService
from clary.algorithms.neo.trees import TreesService
from clary.toolkit import serve as contract
from clary.toolkit.layout import Layout
from clary.toolkit.server import hosting
from clary.toolkit.server.serving import Service

_SERVICES: Mapping[str, Callable[[Layout, Mapping[str, str]], Service]] = {
    "trees": TreesService,
    "tensors": TensorsService,
}


def main() -> int:
    """The exit code."""
    contract.configure_logs(os.environ)
    service = _SERVICES[sys.argv[1]]
    return hosting.host(lambda layout: service(layout, os.environ), os.environ)


if __name__ == "__main__":
    sys.exit(main())
