"""TensorFlow Serving's Predict by JSON: rows (`instances` → `predictions`) and columns (`inputs` → `outputs`)
(https://github.com/tensorflow/serving/blob/master/tensorflow_serving/g3doc/api_rest.md)."""

from __future__ import annotations

from typing import Dict, List, Mapping, Tuple

from clary.toolkit.tensorflow import json_tensors
from clary.toolkit.tensorflow.json_tensors import Array, Invalid, Json, is_base64, shown, to_tensor

_BOTH = " Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist "
_PLAIN_ROWS = (
    "instances is a plain list, but expecting list of objects as multiple input tensors required as per tensorinfo_map"
)
_PLAIN_COLUMNS = (
    "inputs is a plain value/list, but expecting an object as multiple input tensors required as per tensorinfo_map"
)

Inputs = Mapping[str, str]
"""Name of an input → its type, by numpy's name."""


def read(request: Mapping[str, Json], inputs: Inputs) -> Tuple[Dict[str, Array], bool]:
    """The input tensors, and whether they came as rows. Raises Invalid."""
    if "instances" in request:
        if "inputs" in request:
            raise Invalid(f"JSON Value: {shown(request)}{_BOTH}")
        instances = request["instances"]
        if not isinstance(instances, list):
            raise Invalid(f"JSON Value: {shown(request)} Excepting 'instances' to be an list/array")
        if not instances:
            raise Invalid(f"JSON Value: {shown(request)} No values in 'instances' array")
        return _from_rows(instances, inputs), True
    if "inputs" in request:
        return _from_columns(request["inputs"], inputs), False
    raise Invalid("Missing 'inputs' or 'instances' key")


def _from_rows(rows: List[Json], inputs: Inputs) -> Dict[str, Array]:
    if not isinstance(rows[0], dict) and len(inputs) > 1:
        raise Invalid(_PLAIN_ROWS)
    if _is_named(rows[0]):
        return _from_named_rows(rows, inputs)
    for number, row in enumerate(rows):
        if _is_named(row):
            raise Invalid(f"Expecting value/list but got object at item {number} of input list")
    name, dtype = next(iter(inputs.items()))
    return {name: _batch(rows, dtype, "")}


def _is_named(row: Json) -> bool:
    return isinstance(row, dict) and not is_base64(row)


def _from_named_rows(rows: List[Json], inputs: Inputs) -> Dict[str, Array]:
    for number, row in enumerate(rows):
        if not _is_named(row):
            raise Invalid(f"Expecting object but got list at item {number} of input list")
        _check_names(row, number, inputs)
    return {name: _batch([row[name] for row in rows], dtype, f" key: {name}") for name, dtype in inputs.items()}


def _check_names(row: Mapping[str, Json], number: int, inputs: Inputs) -> None:
    for name in row:
        if name not in inputs:
            raise Invalid(
                f"Failed to process element: {number} key: {name} of 'instances' list. Error:"
                f" INVALID_ARGUMENT: JSON object: does not have named input: {name}"
            )
    if len(row) != len(inputs):
        raise Invalid(
            f"Failed to process element: {number} of 'instances' list. JSON object: {shown(row)}"
            f" keys must be equal to: {','.join(sorted(inputs))}"
        )


def _batch(rows: List[Json], dtype: str, key: str) -> Array:
    """All rows as one tensor, whose first dimension counts them."""
    try:
        return to_tensor(rows, dtype)
    except Invalid:
        _explain(rows, dtype, key)
        raise


def _explain(rows: List[Json], dtype: str, key: str) -> None:
    """Say which row is at fault: each is looked at by itself."""
    first = None
    for number, row in enumerate(rows):
        where = f"Failed to process element: {number}{key} of 'instances' list. Error: INVALID_ARGUMENT: "
        try:
            array = to_tensor(row, dtype)
        except Invalid as error:
            raise Invalid(where + str(error)) from None
        first = array if first is None else first
        if array.size != first.size:
            raise Invalid(f"{where}Expecting tensor size: {first.size} but got: {array.size}")
        if array.shape != first.shape:
            raise Invalid(f"{where}Expecting shape {_dimensions(first)} but got: {_dimensions(array)}")


def _dimensions(array: Array) -> str:
    return f"[{','.join(map(str, array.shape))}]"


def _from_columns(value: Json, inputs: Inputs) -> Dict[str, Array]:
    if not _is_named(value):
        if len(inputs) > 1:
            raise Invalid(_PLAIN_COLUMNS)
        name, dtype = next(iter(inputs.items()))
        return {name: to_tensor(value, dtype)}
    for name in inputs:
        if name not in value:
            raise Invalid(f"Missing named input: {name} in 'inputs' object.")
    return {name: to_tensor(value[name], dtype) for name, dtype in inputs.items()}


def write(outputs: Mapping[str, Array], by_rows: bool) -> str:
    """The answer, laid out as TensorFlow Serving does. Raises Invalid."""
    if not outputs:
        raise Invalid("Cannot convert empty tensor map to JSON")
    return _rows(outputs) if by_rows else _columns(outputs)


def _rows(outputs: Mapping[str, Array]) -> str:
    _check_batches(outputs)
    columns = {name: json_tensors.tokens(name, array) for name, array in outputs.items()}
    if len(columns) == 1:
        [column] = columns.values()
        body = ", ".join(map(json_tensors.on_one_line, column))
    else:
        names = list(columns)
        body = ",".join(_named_row(names, row) for row in zip(*columns.values()))  # noqa: B905 - Python 3.8
    return f'{{\n    "predictions": [{body}\n    ]\n}}'


def _named_row(names: List[str], row: Tuple[Json, ...]) -> str:
    members = [
        f"            {json_tensors.quoted(name)}: {json_tensors.on_one_line(value)}"
        for name, value in zip(names, row)  # noqa: B905 - Python 3.8
    ]
    return "\n        {\n" + ",\n".join(members) + "\n        }"


def _check_batches(outputs: Mapping[str, Array]) -> None:
    expected = None
    for name, array in outputs.items():
        if not array.shape:
            raise Invalid(f"Tensor name: {name} has no shape information ")
        size = array.shape[0]
        if expected is not None and size != expected:
            raise Invalid(f"Tensor name: {name} has inconsistent batch size: {size} expecting: {expected}")
        expected = size


def _columns(outputs: Mapping[str, Array]) -> str:
    columns = {name: json_tensors.tokens(name, array) for name, array in outputs.items()}
    if len(columns) == 1:
        [column] = columns.values()
        return f'{{\n    "outputs": {json_tensors.on_lines(column, 4)}\n}}'
    members = (
        f"        {json_tensors.quoted(name)}: {json_tensors.on_lines(value, 8)}" for name, value in columns.items()
    )
    return '{\n    "outputs": {\n' + ",\n".join(members) + "\n    }\n}"
