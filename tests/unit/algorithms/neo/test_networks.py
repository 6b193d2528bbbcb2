"""What a network's answers are compared by: what differs is not taken, whatever it differs in."""

import json

from tests.unit.algorithms.neo.conftest import run

PROOFS = """
import json
import numpy as np
from clary.algorithms.neo.compiled import Uncompilable
from clary.algorithms.neo.networks import check_inputs, same, takes
from clary.toolkit.sessions import Input

class Network:
    def __init__(self, answer, *inputs):
        self.answer, self.inputs, self.seen = answer, list(inputs), []

    def run(self, given):
        self.seen.append(given)
        return {"out": self.answer(*given.values())}

def told(work, *given, **more):
    try:
        return work(*given, **more)
    except Uncompilable as refused:
        return str(refused)

rows = Input("x", "float32", [None, 3])
plain = Network(lambda x: x * 2, rows)
def against(answer, **more):
    found = told(same, plain, Network(answer, rows), {}, **more)
    return found if isinstance(found, str) else found.difference

TABLE = np.arange(50)
def looked_up(x):
    if x.max(initial=0) >= len(TABLE):
        raise RuntimeError("beyond the table")
    return TABLE[x]

def one_row(x):
    return x.reshape(1, 3)

words = Network(looked_up, Input("ids", "int64", [1, 4]))
proof = same(words, Network(looked_up), {})
many = Network(lambda x: x, rows)
same(many, many, {"x": [1, 3]}, rows=3)
print(json.dumps({
    "same": against(lambda x: x + x),
    "near": against(lambda x: x * 2 * (1 + 4e-6)) <= 1e-5,
    "far": against(lambda x: x * 2.1),
    "no number": against(lambda x: x * np.nan),
    "shape": against(lambda x: (x * 2).sum(1)),
    "infinite": told(same, Network(lambda x: x / 0, rows), Network(lambda x: x / 0 + 1, rows), {}).difference,
    "wholes": max(int(each["ids"].max()) for each in words.seen[2:]),
    "rows": sorted({len(each["x"]) for each in many.seen}),
    "takes": [takes(network, {}, 3) for network in (many, Network(one_row, rows))],
    "untried": told(same, Network(one_row, rows), many, {}, rows=2),
    "names": told(check_inputs, [rows], {"y": [1, 3]}),
    "lengths": told(check_inputs, [rows], {"x": [1, 4]}),
    "no shape": told(check_inputs, [rows], {"x": [1, "3"]}),
}))
"""


def test_only_what_is_the_same_is_taken_whatever_it_differs_in(neo_python):
    found = json.loads(run(neo_python, PROOFS))
    assert found["same"] == 0
    assert found["near"] is True
    assert "outputs differ by 0.0" in found["far"]
    assert "outputs differ by inf" in found["no number"], "a maximum of NaN would be none"
    assert "outputs differ by inf" in found["shape"]
    assert found["infinite"] == 0
    assert 2 < found["wholes"] < 50, "as far as the table goes"
    assert found["rows"] == [3], "whatever the shapes say"
    assert found["takes"] == [True, False]
    assert "cannot be tried with x of shape [2, 3]" in found["untried"]
    assert "names the inputs y; the model has x" in found["names"]
    assert "the model takes [None, 3]" in found["lengths"]
    assert "the model takes [None, 3]" in found["no shape"]
