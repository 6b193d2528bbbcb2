"""Rows that go down all trees at once end where they end one tree and one node at a time."""

import random

import numpy as np
import pytest

from clary.toolkit.pmml import trees
from clary.toolkit.pmml.document import PmmlModel
from tests.unit.toolkit.pmml.documents import data, pmml, schema

PAIRS = [("lessThan", "greaterOrEqual"), ("lessOrEqual", "greaterThan")]
SCHEMA = schema("x", "z")


def grown(draw: random.Random, predicate: str, depth: int) -> str:
    """A node, with two below it or none."""
    name = f"n{draw.random()}"
    if depth == 0 or draw.random() < 0.2:
        return f'<Node id="{name}" score="{draw.randint(0, 99)}">{predicate}</Node>'
    field, value = draw.choice("xz"), draw.choice([-1, 0, 0.1, 0.5, 1])
    asked = [f'<SimplePredicate field="{field}" operator="{each}" value="{value}"/>' for each in draw.choice(PAIRS)]
    draw.shuffle(asked)
    children = [grown(draw, each, depth - 1) for each in asked]
    default = draw.choice(children).split('"')[1]
    return f'<Node id="{name}" score="-1" defaultChild="{default}">{predicate}{"".join(children)}</Node>'


def forest(draw: random.Random, strategy: str, kind: str) -> bytes:
    made = "".join(
        f'<Segment weight="{weight}"><True/><TreeModel functionName="regression" missingValueStrategy="{strategy}">'
        f"{SCHEMA}{grown(draw, '<True/>', 5)}</TreeModel></Segment>"
        for weight in range(1, 8)
    )
    model = (
        f'<MiningModel functionName="regression">{SCHEMA}<Segmentation multipleModelMethod="weightedSum">{made}'
        "</Segmentation></MiningModel>"
    )
    return pmml(model, data(x=kind, z=kind))


@pytest.mark.parametrize("kind", ["double", "float", "integer"])
@pytest.mark.parametrize("strategy", ["none", "nullPrediction", "defaultChild"])
def test_all_at_once_is_as_one_by_one(strategy: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(f"{strategy}{kind}")
    content = forest(draw, strategy, kind)
    if kind == "integer":
        content = content.replace(b'"0.1"', b'"2"').replace(b'"0.5"', b'"3"')
    values = [-1, 0, 1, 2, 3] if kind == "integer" else [-1, -0.5, 0, 0.1, 0.3, 0.5, 1, 2]
    table = np.asarray([[draw.choice([*values, np.nan]) for _ in range(2)] for _ in range(200)], float)
    together = PmmlModel(content)
    monkeypatch.setattr(trees, "ways", lambda *_: None)
    alone = PmmlModel(content)
    found = together.predict(table)
    assert len(set(found[~np.isnan(found)])) > 10
    np.testing.assert_array_equal(found, alone.predict(table))
