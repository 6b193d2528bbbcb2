"""What a request to TensorFlow's image says, before any model sees it; and what TensorFlow is told of its hosts."""

import json

import pytest

from clary.toolkit.tensorflow import cluster, predict
from clary.toolkit.tensorflow.bodies import Unsupported, to_serving


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        ('{"instances": [1, 2]}', "application/json", {"instances": [1, 2]}),
        ('{"inputs": {"x": [1]}}', "application/json; charset=utf-8", {"inputs": {"x": [1]}}),
        ('{"examples": [{"x": 1}]}', "application/json", {"examples": [{"x": 1}]}),
        ("[1, 2]", "application/json", {"instances": [[1, 2]]}),
        ("[[1, 2], [3, 4]]", "application/json", {"instances": [[1, 2], [3, 4]]}),
        ('{"x": 1}', "application/json", {"instances": [{"x": 1}]}),
        ("5", "application/json", {"instances": [5]}),
        ("[1, 2]\n[3, 4]\n", "application/jsonlines", {"instances": [[1, 2], [3, 4]]}),
        ('{"x": 1}\n\n{"x": 2}', "application/jsons", {"instances": [{"x": 1}, {"x": 2}]}),
        ("1,2\n3,4\n", "text/csv", {"instances": [[1, 2], [3, 4]]}),
        ("1\n2\n", "text/csv", {"instances": [1, 2]}),
        ("-1e3, .5", "text/csv", {"instances": [[-1000, 0.5]]}),
        ('a,b,"c, d"\n', "text/csv", {"instances": [["a", "b", "c, d"]]}),
        ("east\n", "text/csv", {"instances": ["east"]}),
    ],
)
def test_a_body_becomes_tensorflow_servings_json(body, content_type, expected):
    assert json.loads(to_serving(body, content_type).replace(" .5", " 0.5").replace(",.5", ",0.5")) == expected


@pytest.mark.parametrize(
    ("content_type", "said"),
    [("text/plain", "text/plain"), ("", "Unknown"), ("application/x-npy", "application/x-npy")],
)
def test_other_content_types_are_not_taken(content_type, said):
    with pytest.raises(Unsupported, match=f"Unsupported Media Type: {said}"):
        to_serving("1", content_type)


def test_every_host_is_a_worker_of_a_mirrored_strategy():
    assert cluster.of_workers(["algo-1", "algo-2"], "algo-2") == {
        "cluster": {"worker": ["algo-1:8890", "algo-2:8890"]},
        "environment": "cloud",
        "task": {"index": 1, "type": "worker"},
    }


def test_with_parameter_servers_the_first_host_is_master_and_all_serve():
    hosts = ["algo-1", "algo-2", "algo-3"]
    spread = {
        "master": ["algo-1:2222"],
        "worker": ["algo-2:2222", "algo-3:2222"],
        "ps": ["algo-1:2223", "algo-2:2223", "algo-3:2223"],
    }
    told = [cluster.of_parameter_servers(hosts, host) for host in hosts]
    assert all(config["cluster"] == spread for config in told)
    assert [config["task"] for config in told] == [
        {"index": 0, "type": "master"},
        {"index": 0, "type": "worker"},
        {"index": 1, "type": "worker"},
    ]
    assert cluster.of_this_server(hosts, "algo-3")["task"] == {"index": 2, "type": "ps"}


@pytest.mark.parametrize("dtype", ["float32", "int32", "uint8", "bool", "object"])
def test_rows_of_nothing_are_tensors_without_elements(dtype):
    found, by_rows = predict.read({"instances": [[], []]}, {"x": dtype})
    assert (found["x"].shape, by_rows) == ((2, 0), True)


def test_half_a_character_is_no_reason_to_fail():
    """JSON may hold what is no text in UTF-8."""
    found, _ = predict.read({"instances": ["\ud800"]}, {"x": "object"})
    assert found["x"].tolist() == [b"\xed\xa0\x80"]
