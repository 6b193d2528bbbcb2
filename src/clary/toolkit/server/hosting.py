"""What a container hosts: the model in /opt/ml/model, or, on a multi-model endpoint, as many as it is asked to load."""

from __future__ import annotations

from typing import Callable, Mapping

from clary.toolkit.layout import Layout
from clary.toolkit.server import many_models, serving
from clary.toolkit.server.serving import Service

MULTI_MODEL = "SAGEMAKER_MULTI_MODEL"
"""`true` in the environment of a container that is to host many models."""

LoadFrom = Callable[[Layout], Service]
"""Loads the model of a layout. Raises whatever the model or its script raises."""


def host(load: LoadFrom, environ: Mapping[str, str]) -> int:
    """Serve until SIGTERM; the exit code."""
    layout = Layout(environ)
    if environ.get(MULTI_MODEL, "").lower() == "true":
        return many_models.serve(lambda folder: load(layout.with_model(folder)), environ)
    return serving.serve(lambda: load(layout), environ)
