"""A PMML file that can be asked (https://dmg.org/pmml/v4-4-1/GeneralStructure.html)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence

import numpy as np

from clary.toolkit.pmml.columns import FLOAT, STRING, Column, Unanswerable, rounded
from clary.toolkit.pmml.fields import asked, dictionary
from clary.toolkit.pmml.models import TAGS, Makers, Model, elements
from clary.toolkit.pmml.reading import Element, Invalid, read

Array = Any

FILE = "model.pmml"
"""What an archive should call it."""
_PREDICTION = "prediction"


class PmmlModel:
    """Asked by rows, or by fields. Raises Invalid for a file that it cannot ask."""

    def __init__(self, content: bytes) -> None:
        root = read(content)
        self._fields = dictionary(root)
        self._model = _only(root, Makers(self._fields, _texts(root), _shared(root)))
        self.inputs = {name: self._fields[name].kind for name in self._model.inputs}
        """The kinds of the fields that are asked for, in their order."""
        self.n_features_in_ = len(self.inputs)

    @classmethod
    def of(cls, path: Path) -> PmmlModel:
        """Raises Invalid, OSError."""
        return cls(path.read_bytes())

    def predict(self, table: Array) -> Array:
        """What is predicted for each row of an array (rows, fields), in the fields' order; NaN or None is a missing
        value. Raises Unanswerable."""
        return next(iter(self.columns(self._of_table(np.asarray(table)), len(table)).values())).array()

    def probabilities(self, table: Array) -> Dict[str, Array]:
        """Of each label, as the file writes it. Raises Unanswerable."""
        return dict(self._model.ask(self._of_table(np.asarray(table)), len(table))[0].probabilities)

    def ask(self, given: Mapping[str, Sequence[Any]], count: int) -> Dict[str, List[Any]]:
        """All answers by their names, for so many values of each field; a field that is not named is missing.

        Raises Unanswerable."""
        columns = {name: asked(self._fields[name], list(given.get(name, (None,) * count))) for name in self.inputs}
        return {name: column.to_list() for name, column in self.columns(columns, count).items()}

    def columns(self, columns: Dict[str, Column], count: int) -> Dict[str, Column]:
        """The target first, then the file's outputs; without a target its outputs alone. Raises Unanswerable."""
        outcome, outputs = self._model.ask(columns, count)
        if outputs and not self._model.target.name:
            return outputs
        return {self._model.target.name or _PREDICTION: outcome.value, **outputs}

    def _of_table(self, table: Array) -> Dict[str, Column]:
        if table.ndim != 2 or table.shape[1] != len(self.inputs):
            shape = " x ".join(map(str, table.shape))
            raise Unanswerable(f"the model takes rows of {len(self.inputs)} values, not an array of {shape}")
        return {
            name: self._column(name, kind, table[:, place]) for place, (name, kind) in enumerate(self.inputs.items())
        }

    def _column(self, name: str, kind: str, values: Array) -> Column:
        if values.dtype.kind not in "fiub" or kind == STRING:
            return asked(self._fields[name], values.tolist())
        wide = values.astype(np.float64)
        try:
            return Column(
                kind, rounded(wide, kind) if kind != FLOAT or values.dtype != np.float32 else wide, np.isnan(wide)
            )
        except ValueError as error:
            raise Unanswerable(f"{name}: {error}") from None


def file_of(folder: Path) -> Optional[Path]:
    """`model.pmml`, or the one `.pmml` of a folder; None where there is none, or several."""
    named = folder / FILE
    found = [named] if named.is_file() else sorted(folder.glob("*.pmml"))
    return found[0] if len(found) == 1 else None


def _only(root: Element, makers: Makers) -> Model:
    found = elements(root)
    if len(found) != 1:
        said = f"{len(found)} models" if found else "no model"
        raise Invalid(f"the file holds {said}; one of {', '.join(TAGS)} is wanted")
    return makers.outermost(found[0])


def _texts(root: Element) -> Dict[str, List[str]]:
    """The valid values of each field, as the file writes them."""
    return {
        field.need("name"): [
            value.need("value") for value in field.all("Value") if value.get("property", "valid") == "valid"
        ]
        for field in root.only("DataDictionary").all("DataField")
    }


def _shared(root: Element) -> List[Element]:
    shared = root.first("TransformationDictionary")
    if shared is None:
        return []
    if shared.first("DefineFunction") is not None:
        raise Invalid("functions that the file defines are not offered")
    return list(shared.all("DerivedField"))
