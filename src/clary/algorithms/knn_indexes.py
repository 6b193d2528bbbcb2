"""Indexes of faiss (https://github.com/facebookresearch/faiss) for k-nearest neighbours: built, and searched.

Shapes: n rows, m queries, k neighbours.
"""

from __future__ import annotations

import math
from typing import Any, Optional, Tuple

import faiss
import numpy as np

from clary.algorithms.base import origins
from clary.algorithms.base.groups import GroupedRows
from clary.algorithms.base.hyperparameters import Hyperparameters
from clary.toolkit.errors import UserError

Array = Any
"""A numpy array."""

FLAT, IVF, PQ = "faiss.Flat", "faiss.IVFFlat", "faiss.IVFPQ"
L2, PRODUCT, COSINE = "L2", "INNER_PRODUCT", "COSINE"
PARTS = (1, 2, 3, 4, 8, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64, 96)
"""What `faiss_index_pq_m` may be."""

_SEED = 20180703
_RECALL, _ASKED = 0.995, 64
"""Of what all lists of an index would find, as many shall be found in those that are searched; so many rows ask."""
_GROUPED, _GAIN = 20_000, 0.9
"""Fewer rows are not put into groups; of a sample of queries, as many must need few of the groups."""
_FEWEST = 2
"""Rows that a quantizer can learn from."""
_POINTS = 64
"""Rows for each centroid that an index learns from, at most."""


def number(given: Hyperparameters, name: str) -> Optional[int]:
    """An optional whole number."""
    value = given.values[name]
    return None if isinstance(value, str) else int(value)


def parts(given: Hyperparameters, width: int) -> int:
    """What `faiss_index_pq_m` says; else one for every two numbers, or a few more numbers."""
    return number(given, "faiss_index_pq_m") or max(part for part in PARTS if part <= max(1, width // 2))


def built(given: Hyperparameters, rows: Array) -> Any:  # noqa: ANN401 - an index of faiss
    """An index of faiss that holds the rows."""
    metric = faiss.METRIC_L2 if given.word("index_metric") == L2 else faiss.METRIC_INNER_PRODUCT
    width, kind = rows.shape[1], given.word("index_type")
    if kind == FLAT:
        index = faiss.IndexFlat(width, metric)
    else:
        index = _lists(given, kind, width, len(rows), metric)
        index.train(rows)
    index.add(rows)
    return index


def _lists(given: Hyperparameters, kind: str, width: int, count: int, metric: int) -> Any:  # noqa: ANN401 - faiss's
    lists = given.whole_or_auto("faiss_index_ivf_nlists") or math.isqrt(min(given.whole("sample_size"), count))
    if lists > count:
        raise UserError(f"faiss_index_ivf_nlists={lists} is larger than the number of sampled examples, {count}.")
    if kind == PQ and count < _FEWEST:
        raise UserError(f"index_type={PQ} needs {_FEWEST} sampled examples at least, and there is {count}.")
    coarse = faiss.IndexFlat(width, metric)
    if kind == IVF:
        index = faiss.IndexIVFFlat(coarse, width, lists, metric)
    else:
        index = faiss.IndexIVFPQ(coarse, width, lists, parts(given, width), min(8, count.bit_length() - 1), metric)
        _tell_less(index.pq.cp)
    index.cp.max_points_per_centroid = _POINTS
    _tell_less(index.cp)
    coarse.this.disown()  # the index frees it
    index.own_fields = True
    return index


def _tell_less(clustering: Any) -> None:  # noqa: ANN401 - faiss's ClusteringParameters
    """Few rows for each centroid are no reason for a warning."""
    clustering.min_points_per_centroid = 1


def listed(index: Any) -> bool:  # noqa: ANN401 - an index of faiss
    """Whether rows lie in lists."""
    return isinstance(index, faiss.IndexIVF)


def probes(index: Any, rows: Array, k: int) -> int:  # noqa: ANN401 - an index of faiss
    """How many lists to search: enough that a sample of the rows finds nearly what it would find in all of them."""
    asked = _sampled(rows)
    k = min(k + 1, len(rows))  # the nearest of a row is itself
    everything = search(index, asked, k, index.nlist)[1]
    count = 1
    while count < index.nlist and _shared(search(index, asked, k, count)[1][:, 1:], everything[:, 1:]) < _RECALL:
        count *= 2
    return int(min(count, index.nlist))


def search(index: Any, queries: Array, k: int, lists: int) -> Tuple[Array, Array]:  # noqa: ANN401 - an index of faiss
    """(m, k) each: squared distances or products, and places of rows, -1 where so many lists hold no more.

    Queries beyond all rows are brought nearer: faiss finds nothing where squares overflow.
    """
    queries = np.clip(queries, -origins.LARGEST, origins.LARGEST)
    values, places = index.search(queries, k, params=faiss.SearchParametersIVF(nprobe=lists))
    return values, places


def _shared(found: Array, wanted: Array) -> float:
    """How much of `wanted` is in `found`, row by row."""
    hits = [len(np.intersect1d(some, everything)) for some, everything in zip(found, wanted)]  # noqa: B905 - 3.8
    return float(sum(hits) / max(wanted.size, 1))


def exact(index: Any, lists: int) -> bool:  # noqa: ANN401 - an index of faiss
    """Whether a search in so many lists compares all rows as they are."""
    return not listed(index) or (isinstance(index, faiss.IndexIVFFlat) and lists >= index.nlist)


def groups(given: Hyperparameters, rows: Array) -> Optional[Array]:
    """(n,): the group of each row, for `GroupedRows`; None where to compare all rows is as fast."""
    if len(rows) < _GROUPED or given.word("index_type") != FLAT or given.word("index_metric") != L2:
        return None
    clustering = faiss.Kmeans(
        rows.shape[1],
        2 * math.isqrt(len(rows)),  # a cluster that has no group of its own makes others wide
        niter=4,
        seed=_SEED,
        max_points_per_centroid=_POINTS // 2,
        min_points_per_centroid=1,
    )
    clustering.train(rows)
    numbers = clustering.index.search(rows, 1)[1][:, 0]
    helps = GroupedRows(rows, numbers).share_near(_sampled(rows), given.whole("k")) >= _GAIN
    return numbers.astype(np.int32) if helps else None


def _sampled(rows: Array) -> Array:
    """Rows that ask as queries would."""
    return rows[np.random.default_rng(_SEED).permutation(len(rows))[:_ASKED]]


def held(index: Any) -> Array:  # noqa: ANN401 - an index of faiss
    """(n, width): the rows in an index that keeps them as they are."""
    if not listed(index):
        return faiss.rev_swig_ptr(index.get_xb(), index.ntotal * index.d).reshape(index.ntotal, index.d)
    index.make_direct_map()
    rows = index.reconstruct_n(0, index.ntotal)
    index.set_direct_map_type(faiss.DirectMap.NoMap)
    return rows
