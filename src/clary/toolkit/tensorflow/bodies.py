"""Bodies of `/invocations` as TensorFlow Serving's JSON, made as AWS's container makes it
(https://github.com/aws/sagemaker-tensorflow-serving-container#readme, "Make inference requests").

Text goes in and comes out: what is JSON already is not read here.
"""

from __future__ import annotations

import csv
import io
import json
import re
from typing import List

from clary.formats import content_types

_SERVINGS_OWN = re.compile(r'"(instances|inputs|examples)"\s*:')
_SEVERAL = re.compile(r"[}\]]\s*[\[{]")
"""Values one behind the other, with white space between them at most: JSON lines."""
_A_BATCH = re.compile(r"\s*\[\s*\[")
_NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*\Z")
_JSON = frozenset({content_types.JSON, content_types.JSON_LINES, "application/jsons"})


class Unsupported(Exception):
    """A content type that is no JSON and no CSV."""


def to_serving(body: str, content_type: str) -> str:
    """A request's body as TensorFlow Serving takes it. Raises Unsupported."""
    kind = content_types.kind_of(content_type)
    if kind == content_types.CSV:
        return _from_csv(body)
    if kind not in _JSON:
        raise Unsupported(f"Unsupported Media Type: {content_type or 'Unknown'}")
    if _SERVINGS_OWN.search(body):
        return body
    if _SEVERAL.search(body):
        return _instances(_lines(body))
    return f'{{"instances":{body if _A_BATCH.match(body) else f"[{body}]"}}}'


def _lines(body: str) -> List[str]:
    return [line.strip() for line in body.strip().splitlines() if line.strip()]


def _instances(rows: List[str]) -> str:
    return '{"instances":[' + ",".join(rows) + "]}"


def _from_csv(body: str) -> str:
    """Lines of numbers, or of texts: the first field says which. A line of one column is a scalar."""
    rows = [row for row in csv.reader(io.StringIO(body.strip())) if row]
    numbers = bool(rows) and _NUMBER.match(rows[0][0]) is not None
    return _instances([_row(row, numbers) for row in rows])


def _row(cells: List[str], numbers: bool) -> str:
    written = [cell.strip() if numbers and _NUMBER.match(cell) else json.dumps(cell) for cell in cells]
    return written[0] if len(written) == 1 else f"[{','.join(written)}]"
