"""Histogram gradient boosting as ONNX: the compiler writes truth values where ONNX wants whole numbers, which its newer
releases refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
from skl2onnx import update_registered_converter  # type: ignore[import-not-found,unused-ignore]
from skl2onnx.common import shape_calculator as shapes  # type: ignore[import-not-found,unused-ignore]
from skl2onnx.operator_converters import random_forest as forests  # type: ignore[import-not-found,unused-ignore]
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

_SWITCH = (True, False)
_OPTIONS = {
    "zipmap": [*_SWITCH, "columns"],
    "raw_scores": list(_SWITCH),
    "output_class_labels": list(_SWITCH),
    "nocl": list(_SWITCH),
}
"""Those of the compiler's own converter."""


def register() -> None:
    """May be called again."""
    update_registered_converter(
        HistGradientBoostingClassifier,
        "WholeHistogramsClassifier",
        shapes.calculate_linear_classifier_output_shapes,
        _classifier,
        overwrite=True,
        options=_OPTIONS,
    )
    update_registered_converter(
        HistGradientBoostingRegressor,
        "WholeHistogramsRegressor",
        shapes.calculate_linear_regressor_output_shapes,
        _regressor,
        overwrite=True,
    )


class _WholeNumbers:
    """The compiler's container, which is given no truth values."""

    def __init__(self, container: Any) -> None:  # noqa: ANN401 - the compiler's, without types
        self._container = container

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as above
        return getattr(self._container, name)

    def add_node(self, *given: Any, **named: Any) -> Any:  # noqa: ANN401 - as above
        return self._container.add_node(*given, **{name: _whole(value) for name, value in named.items()})


def _whole(value: Any) -> Any:  # noqa: ANN401 - as above
    if not isinstance(value, list):
        return value
    return [int(each) if isinstance(each, (bool, np.bool_)) else each for each in value]


def _classifier(scope: Any, operator: Any, container: Any) -> None:  # noqa: ANN401 - as above
    forests.convert_sklearn_random_forest_classifier(scope, operator, _WholeNumbers(container))


def _regressor(scope: Any, operator: Any, container: Any) -> None:  # noqa: ANN401 - as above
    forests.convert_sklearn_random_forest_regressor_converter(scope, operator, _WholeNumbers(container))
