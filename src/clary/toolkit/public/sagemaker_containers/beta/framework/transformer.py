"""`framework.transformer`: the functions that a script falls back on."""

from __future__ import annotations

from typing import Any

from sagemaker_containers.beta.framework import encoders, worker

Data = Any
"""Whatever a script's functions hand on."""


def default_model_fn(model_dir: str) -> Data:
    """Raises NotImplementedError: there is no default."""
    raise NotImplementedError("Please provide a model_fn implementation.")


def default_input_fn(input_data: Data, content_type: str) -> Data:
    """The body as an array. Raises UnsupportedFormatError."""
    return encoders.decode(input_data, content_type)


def default_predict_fn(data: Data, model: Data) -> Data:
    """Raises NotImplementedError: there is no default."""
    raise NotImplementedError("Please provide a predict_fn implementation.")


def default_output_fn(prediction: Data, accept: str) -> worker.Response:
    """The prediction as the answer. Raises UnsupportedFormatError."""
    return worker.Response(encoders.encode(prediction, accept), mimetype=accept)
