"""Predictions of rows in memory by XGBoost's C function for them, `XGBoosterPredictFromDense`
(https://xgboost.readthedocs.io/en/stable/c.html#prediction), since 1.7.

`Booster.inplace_predict` calls the same one. What it does around it (writing parameters as JSON, asking what kind of
data it was given, having a matrix made that stands for them) takes four times as long as the call for a row.
"""

from __future__ import annotations

import ctypes
import functools
import json
import math
from typing import Any, Tuple

import numpy as np
import xgboost
from xgboost.libpath import find_lib_path

Booster = Any
Array = Any

_INTERFACE = '{"data":[%d,true],"shape":[%d,%d],"typestr":"%s","version":3}'
"""numpy's array interface of a table whose rows lie one after the other."""


class Dense:
    """A booster, asked with tables. It is one thread's: each prediction overwrites the last one's memory."""

    def __init__(self, booster: Booster, rounds: Tuple[int, int]) -> None:
        """`rounds`: the first, and the one after the last; (0, 0) for all. Raises XGBoostError."""
        self._booster = booster
        self._library = _library()
        self._parameters = json.dumps(
            {
                "type": 0,
                "training": False,
                "iteration_begin": rounds[0],
                "iteration_end": rounds[1],
                "missing": math.nan,
                "strict_shape": False,
                "cache_id": 0,
            }
        ).encode()
        self._proxy = ctypes.c_void_p()
        self._checked(self._library.XGProxyDMatrixCreate(ctypes.byref(self._proxy)))
        self._shape, self._dimensions = ctypes.POINTER(ctypes.c_uint64)(), ctypes.c_uint64()
        self._found = ctypes.POINTER(ctypes.c_float)()
        self._results = tuple(map(ctypes.byref, (self._shape, self._dimensions, self._found)))

    def predict(self, rows: Array) -> Array:
        """A float32 a row of the table (rows, columns) of float32 or float64, or one for each class; NaN is a missing
        value. Raises XGBoostError."""
        table = np.ascontiguousarray(rows)
        interface = _INTERFACE % (table.ctypes.data, *table.shape, table.dtype.str)
        handles = self._booster.handle, interface.encode(), self._parameters, self._proxy
        self._checked(self._library.XGBoosterPredictFromDense(*handles, *self._results))
        shape = self._shape[: self._dimensions.value]
        values = ctypes.string_at(self._found, 4 * math.prod(shape))
        return np.frombuffer(values, np.float32).reshape(shape)

    def _checked(self, failed: int) -> None:
        if failed:
            raise xgboost.core.XGBoostError(self._library.XGBGetLastError().decode())


@functools.lru_cache(maxsize=1)
def _library() -> Any:  # noqa: ANN401  ctypes makes its type as it loads
    """The one that the package has loaded, with argument types of our own."""
    library = ctypes.CDLL(find_lib_path()[0])
    library.XGBGetLastError.restype = ctypes.c_char_p
    library.XGBoosterPredictFromDense.argtypes = [
        *(ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p),
        *(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p),
    ]
    return library
