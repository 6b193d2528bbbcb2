"""Predictions of k-means and of principal component analysis, to the byte
(https://docs.aws.amazon.com/sagemaker/latest/dg/km-in-formats.html, PCA-in-formats.html).

Neither page knows CSV as an answer; no public source shows in which words AWS refuses it.
"""

import json
import re
import struct
from contextlib import ExitStack, contextmanager

import pytest

from clary.formats import recordio
from clary.formats.recordio import Record, Tensor
from tests.unit.algorithms.jobs import CSV, RECORDIO, Job, serving
from tests.unit.algorithms.unlabelled.conftest import KMEANS, PCA
from tests.unit.toolkit.containers import Opt, servers

JSON, LINES = "application/json", "application/jsonlines"


def array(numbers, shape, magic=0xF993FAC9):
    """As MXNet stores it; version 1 had no storage type."""
    head = struct.pack("<Ii", magic, 0) if magic != 0xF993FAC8 else struct.pack("<I", magic)
    sizes = struct.pack(f"<I{len(shape)}q", len(shape), *shape)
    return head + sizes + struct.pack("<iii", 1, 0, 0) + struct.pack(f"<{len(numbers)}f", *numbers)


def stored(arrays, names=()):
    head = struct.pack("<QQQ", 0x112, 0, len(arrays)) + b"".join(arrays) + struct.pack("<Q", len(names))
    return head + b"".join(struct.pack("<Q", len(name)) + name.encode() for name in names)


CENTERS = stored([array([0, 0, 10, 0, 0, 10], (3, 2))])
"""Of k-means, as MXNet writes them."""
PARTS = {"mean": array([1, 2, 3], (1, 3)), "s": array([1, 2], (2,)), "v": array([1, 0, 0, 1, 0, 0], (3, 2))}
"""Of PCA: the projection is the first feature less 1, and the second less 2."""


@contextmanager
def model_server(opt, image, content):
    (opt.base / "model/model_algo-1").write_bytes(content)
    job = Job(opt, image)
    with servers(opt) as start:
        yield start(job.python, *serving(image))


@pytest.fixture
def served(opt):
    """A server of k-means, whose model is these bytes."""
    with ExitStack() as ends:
        yield lambda content: ends.enter_context(model_server(opt, KMEANS, content))


@pytest.fixture(scope="module")
def clusters(tmp_path_factory):
    with model_server(Opt(tmp_path_factory.mktemp("clusters") / "ml"), KMEANS, CENTERS) as server:
        yield server


@pytest.fixture(scope="module")
def components(tmp_path_factory):
    content = stored([*PARTS.values()], [*PARTS])
    with model_server(Opt(tmp_path_factory.mktemp("components") / "ml"), PCA, content) as server:
        yield server


def test_clusters_and_distances_are_answered(clusters):
    first = {"closest_cluster": 1.0, "distance_to_cluster": 1.0}
    second = {"closest_cluster": 2.0, "distance_to_cluster": 5.0}
    status, body, headers = clusters.invoke("9,0\n3,14\n")
    assert (status, headers["content-type"]) == (200, JSON)
    assert body == json.dumps({"predictions": [first, second]}).encode()
    lines = clusters.invoke("9,0\n3,14\n", Accept=LINES)[1]
    assert lines == (json.dumps(first) + "\n" + json.dumps(second) + "\n").encode()
    records = list(recordio.read(clusters.invoke("9,0\n3,14\n", Accept=RECORDIO)[1]))
    assert [record.label["closest_cluster"] for record in records] == [Tensor([1.0], [], []), Tensor([2.0], [], [])]
    assert [record.label["distance_to_cluster"].values[0] for record in records] == [1.0, 5.0]


def test_projections_are_answered(components):
    first, second = {"projection": [8.0, -2.0]}, {"projection": [2.0, 12.0]}
    status, body, headers = components.invoke("9,0,1\n3,14,1\n")
    assert (status, headers["content-type"]) == (200, JSON)
    assert body == json.dumps({"projections": [first, second]}).encode()
    lines = components.invoke("9,0,1\n3,14,1\n", Accept=LINES)[1]
    assert lines == (json.dumps(first) + "\n" + json.dumps(second) + "\n").encode()
    (record,) = recordio.read(components.invoke("9,0,1", Accept=RECORDIO)[1])
    assert record == Record({}, {"projection": Tensor([8.0, -2.0], [], [])})


def test_sparse_requests_leave_zeros_out(clusters):
    body = b'{"instances": [{"data": {"features": {"keys": [0], "values": [9], "shape": [2]}}}]}'
    assert json.loads(clusters.invoke(body, JSON)[1])["predictions"][0]["closest_cluster"] == 1
    record = recordio.write([Record({"values": Tensor([14.0], [1], [2])}, {})])
    assert json.loads(clusters.invoke(record, RECORDIO)[1])["predictions"][0] == {
        "closest_cluster": 2.0,
        "distance_to_cluster": 4.0,
    }


def test_sparse_requests_are_projected(components):
    body = b'{"instances": [{"data": {"features": {"keys": [0], "values": [9], "shape": [3]}}}]}'
    assert json.loads(components.invoke(body, JSON)[1]) == {"projections": [{"projection": [8.0, -2.0]}]}


def test_csv_is_no_answer(clusters):
    status, body, _ = clusters.invoke("9,0", Accept=CSV)
    assert status == 406
    assert body == (
        b"Accept type 'text/csv' is not supported. Supported accept types: application/json, application/jsonlines, "
        b"application/x-recordio-protobuf."
    )
    assert clusters.invoke("9,0", Accept=f"{CSV}, {JSON};q=0.5")[0] == 200
    assert clusters.invoke("1,2,3")[0] == 400


@pytest.mark.parametrize(
    ("body", "kind"),
    [("9,nan", CSV), ("9,-inf", CSV), ("9,1e39", CSV), (b'{"instances": [{"features": [9, NaN]}]}', JSON)],
    ids=["nan", "infinite", "large", "nan-in-json"],
)
def test_numbers_that_are_none_are_refused(clusters, body, kind):
    """An answer of them would be no JSON; AWS's words for it are not public."""
    status, answer, _ = clusters.invoke(body, kind)
    said = b"unable to evaluate payload provided: an example holds values that are no finite numbers"
    assert (status, answer) == (400, said)
    assert clusters.invoke("9,0")[0] == 200


def test_models_of_the_first_versions_of_mxnet_are_read(served):
    server = served(stored([array([0, 0, 10, 0], (2, 2), 0xF993FAC8)]))
    assert json.loads(server.invoke("9,0")[1])["predictions"][0]["closest_cluster"] == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no arrays", "is no file of MXNet's arrays"),
        (CENTERS[:-20], "is no file of MXNet's arrays: it is cut off"),
        (stored([array([1], (1 << 40,))]), "is no file of MXNet's arrays: it is cut off"),
        (stored([array([1], (1,), 0xF993FACB)]), "an array in it is not dense"),
        (stored([*PARTS.values()], [*PARTS]), "is none of k-means: it holds mean, s, v"),
    ],
    ids=["bytes", "cut", "huge", "sparse", "pca"],
)
def test_what_is_no_model_of_kmeans_ends_the_server(served, content, said):
    server = served(content)
    assert server.process.wait(60) == 1
    assert re.search(said, server.log())
