"""`serve` of the images for compiled models: `python -m clary.algorithms.neo.serve trees`, or `tensors`."""

from __future__ import annotations

import os
import sys
from typing import Callable, Mapping

from clary.algorithms.neo.documents import DocumentService
from clary.algorithms.neo.tensors import TensorsService
from clary.algorithms.neo.trees import TreesService
from clary.toolkit import serve as contract
from clary.toolkit.layout import Layout
from clary.toolkit.pmml.document import file_of
from clary.toolkit.server import hosting
from clary.toolkit.server.serving import Service


def _given(layout: Layout, environ: Mapping[str, str]) -> Service:
    """A model given as ONNX, or as PMML. Raises what these raise."""
    graphs = any(layout.model.glob("*.onnx"))
    return DocumentService(layout, environ) if file_of(layout.model) and not graphs else TensorsService(layout, environ)


_SERVICES: Mapping[str, Callable[[Layout, Mapping[str, str]], Service]] = {
    "trees": TreesService,
    "tensors": _given,
}


def main() -> int:
    """The exit code."""
    contract.configure_logs(os.environ)
    service = _SERVICES[sys.argv[1]]
    return hosting.host(lambda layout: service(layout, os.environ), os.environ)


if __name__ == "__main__":
    sys.exit(main())
