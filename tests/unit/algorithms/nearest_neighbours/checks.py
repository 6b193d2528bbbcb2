"""Checks of the search itself, in the image's environment: `checks.py NAME`. Each asserts."""

import itertools
import sys
import tempfile
from pathlib import Path

import numpy as np

from clary.algorithms import knn
from clary.algorithms.base import reduction
from clary.algorithms.base.groups import GroupedRows
from clary.algorithms.base.nearest import Rows

DRAW = np.random.default_rng(3)
CENTERS = DRAW.normal(size=(30, 20)) * 3


def clustered(rows):
    return (CENTERS[DRAW.integers(0, 30, rows)] + DRAW.normal(size=(rows, 20))).astype(np.float32)


def truth(rows, queries, k):
    """(m, k): by all differences in float64."""
    asked = rows.astype(float)
    squares = (((query - asked) ** 2).sum(-1) for query in queries.astype(float))  # one at a time: in a CPU's memory
    return np.asarray([np.argsort(each, kind="stable")[:k] for each in squares])


def exact():
    """Several blocks of queries and of rows; far from zero; sorted so that ever nearer rows come; very few rows."""
    rows, queries = clustered(6000), clustered(600)
    for order in (np.arange(6000), np.argsort(-((rows - queries[0]) ** 2).sum(1))):
        for shift in (0, 1000):
            found = Rows(rows[order] + shift).nearest(queries + shift, 9).places
            assert (found == truth(rows[order] + np.float32(shift), queries + np.float32(shift), 9)).all()
    assert (Rows(rows[:3]).nearest(queries, 3).places == truth(rows[:3], queries, 3)).all()
    products = Rows(rows, products=True).nearest(queries, 9).places
    assert (products == np.argsort(-(queries.astype(float) @ rows.T.astype(float)), axis=1, kind="stable")[:, :9]).all()


def grouped():
    """As all rows compared: groups of one row, of no row, of rows alike; queries far off; rows without clusters."""
    rows, queries = clustered(6000), np.concatenate([clustered(300), 50 * clustered(10)])
    rows[100:105] = rows[99]
    queries[:5] = rows[98:103]
    nearest = ((rows[:, None] - CENTERS[None].astype(np.float32)) ** 2).sum(-1).argmin(1)
    for numbers in (nearest, 3 * nearest, np.where(np.arange(6000) < 90, 40 + np.arange(6000), nearest)):
        for shift in (0, 1000):
            near, there = GroupedRows(rows + np.float32(shift), numbers), queries + np.float32(shift)
            assert (near.nearest(there, 9).places == truth(rows + np.float32(shift), there, 9)).all()
            assert near.nearest(there, 9).places.tolist() == near.nearest(there[::-1], 9).places[::-1].tolist()
    assert GroupedRows(rows, nearest).share_near(queries[:300], 9) > 0.9
    assert (GroupedRows(rows[:3], np.zeros(3, int)).nearest(queries, 3).places == truth(rows[:3], queries, 3)).all()
    alike = np.repeat(DRAW.integers(0, 2, (40, 20)).astype(np.float32), 5, axis=0)
    near = GroupedRows(alike, np.arange(200) // 5).nearest(alike[::5], 5)
    assert (near.values == 0).all()
    uniform = DRAW.random((5000, 20)).astype(np.float32)
    numbers = ((uniform[:, None] - uniform[None, :50]) ** 2).sum(-1).argmin(1)
    assert GroupedRows(uniform, numbers).share_near(uniform[:200], 9) < 0.5
    assert (GroupedRows(uniform, numbers).nearest(uniform[:200], 9).places == truth(uniform, uniform[:200], 9)).all()


def digits():
    """What float32 alone does not tell: a huge number among others, a filler for what is missing, numbers of unusual
    size, ever so many rows in few dimensions, a cluster far away from the others."""
    plain = DRAW.normal(size=(3000, 8)).astype(np.float32)
    outlier, filled, apart = plain.copy(), plain.copy(), plain.copy()
    outlier[5, 0], filled[::10, 3] = 1e9, -999999
    apart[::2] = apart[::2] * np.float32(0.01) + 1000
    large, small, many = plain * np.float32(1e22), plain * np.float32(1e-22), DRAW.random((50_000, 1), np.float32)
    for rows in (outlier, filled, apart, large, small, large - large.min(), many):
        queries = rows[:50]
        for near in (Rows(rows), GroupedRows(rows, np.arange(len(rows)) % 50)):
            for wanted, found in zip(truth(rows, queries, 5).T, near.nearest(queries, 5).places.T, strict=True):
                asked, nearest = queries.astype(float), rows.astype(float)
                squares = [((asked - nearest[places]) ** 2).sum(1) for places in (wanted, found)]
                assert np.allclose(*squares, rtol=1e-5, atol=0)
    queries = plain[:5] * np.float32(1e37)
    assert np.isfinite(GroupedRows(plain, np.arange(3000) % 50).nearest(queries, 5).values).all()
    assert np.isfinite(Rows(small).nearest(queries, 5).values).all()


def cosines():
    """Of rows of any size."""
    rows = clustered(500)
    given = {"feature_dim": 20, "k": 5, "predictor_type": "regressor", "sample_size": 500, "index_metric": "COSINE"}
    wanted = knn.build(knn.ALGORITHM.parse(given), knn.Sample(rows, np.arange(500.0))).nearest(rows)
    for size in (1e-30, 1e30):
        sized = rows * np.float32(size)
        found = knn.build(knn.ALGORITHM.parse(given), knn.Sample(sized, np.arange(500.0))).nearest(sized)
        assert (found.places[:, 0] == wanted.places[:, 0]).all()
        assert np.allclose(found.values, wanted.values, atol=1e-5)


def sizes():
    """Every index works with numbers of any size, at which faiss by itself ends the process; distances are theirs."""
    rows = clustered(25_000)
    for kind, count in (("faiss.Flat", 25_000), ("faiss.IVFFlat", 900), ("faiss.IVFPQ", 900)):
        values = {"feature_dim": 20, "k": 3, "predictor_type": "regressor", "sample_size": 25_000, "index_type": kind}
        given, labels = knn.ALGORITHM.parse(values), np.arange(float(count))
        usual = knn.build(given, knn.Sample(rows[:count], labels)).nearest(rows[:40])
        for size in (2.0**73, 2.0**-73):
            sized = (rows * np.float32(size))[:count]
            with tempfile.TemporaryDirectory() as folder:
                knn.build(given, knn.Sample(sized, labels)).save(Path(folder))
                found = knn.ALGORITHM.load(Path(folder)).nearest(sized[:40])
            assert (found.places == usual.places).all()
            assert np.allclose(found.values[:, 1:] / size**2, usual.values[:, 1:], rtol=1e-5, atol=0)
            assert np.isfinite(knn.build(given, knn.Sample(rows[:count], labels)).nearest(rows[:2] * 1e30).values).all()


def indexes():
    """What an index finds in the lists that it searches."""
    rows, queries = clustered(6000), clustered(200)
    for kind, least in (("faiss.Flat", 1.0), ("faiss.IVFFlat", 0.98), ("faiss.IVFPQ", 0.6)):
        given = {"feature_dim": 20, "k": 10, "predictor_type": "regressor", "sample_size": 6000, "index_type": kind}
        model = knn.build(knn.ALGORITHM.parse(given), knn.Sample(rows, np.arange(6000.0)))
        found, wanted = model.nearest(queries).places, truth(rows, queries, 10)
        recall = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(found, wanted, strict=True)])
        assert recall >= least, (kind, recall)
        assert model.probes < 40


def reductions():
    """Distances and products of rows of 300 numbers stay, but for a tenth, in 200."""
    rows = DRAW.normal(size=(60, 300))
    for make in (reduction.sign, reduction.fjlt):
        shorter = make(300, 200, np.random.default_rng(1)).apply(rows)
        pairs = list(itertools.combinations(range(60), 2))
        ratios = [np.linalg.norm(shorter[a] - shorter[b]) / np.linalg.norm(rows[a] - rows[b]) for a, b in pairs]
        assert abs(np.mean(ratios) - 1) < 0.02
        assert np.std(ratios) < 0.1


def majorities():
    found = knn._majority(np.asarray([[3, 1, 1], [2, 1, 0], [0, 5, 5], [4, 4, 4]]))
    assert found.tolist() == [1, 2, 5, 4]
    assert knn._majority(np.asarray([[1, 2, 2, 1, 7]])).tolist() == [1]


def grouped_by_training():
    """Many rows are grouped where that helps, and the model keeps it."""
    centers = DRAW.normal(size=(300, 20)) * 5
    rows = (centers[DRAW.integers(0, 300, 25_000)] + DRAW.normal(size=(25_000, 20))).astype(np.float32)
    for given, wanted in ((rows, True), (DRAW.random((25_000, 20)).astype(np.float32), False)):
        values = {"feature_dim": 20, "k": 10, "predictor_type": "regressor", "sample_size": 25_000}
        model = knn.build(knn.ALGORITHM.parse(values), knn.Sample(given, np.arange(25_000.0)))
        with tempfile.TemporaryDirectory() as folder:
            model.save(Path(folder))
            again = knn.ALGORITHM.load(Path(folder))
        queries = given[:50] + np.float32(0.01)
        assert (again.nearest(queries).places == truth(given, queries, 10)).all()
        assert (again._groups is not None) == wanted


{
    "cosines": cosines,
    "digits": digits,
    "exact": exact,
    "grouped": grouped,
    "grouped_by_training": grouped_by_training,
    "indexes": indexes,
    "reductions": reductions,
    "sizes": sizes,
    "majorities": majorities,
}[sys.argv[1]]()
