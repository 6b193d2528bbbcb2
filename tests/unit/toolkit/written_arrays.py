"""Arrays written as CSV, beside what Python's own writer makes of them, in an image's environment: truths, as JSON."""

import csv
import io
import json

import numpy as np

from clary.toolkit import arrays

VALUES = (
    np.array([0.1, 1e-30, np.nan, -np.inf, 3.0]),
    np.array([0.1, 1e-30, np.nan], np.float32),
    np.array([0.1, 65504], np.float16),
    np.array([1, -2], np.int8),
    np.array([2**63], np.uint64),
    np.array([True, False]),
    np.array(["a,b", 'say "it"', ""]),
    np.array([None, 1.5]),
    np.array([]),
    np.array(7.5),
    np.array([[0.1, 2.0], [3.0, np.nan]], np.float32),
    np.zeros((2, 0)),
)


def plain(values):
    """Short floats with their own digits."""
    short = values.dtype.kind == "f" and values.dtype.itemsize < 8
    rows = values.reshape(-1, 1) if values.ndim < 2 else values
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows if short else rows.tolist())
    return stream.getvalue().encode()


equal = [arrays.encode(values, "text/csv") == plain(values) for values in VALUES]
print(json.dumps(equal))
