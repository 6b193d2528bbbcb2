"""Filters and joins, by the examples of AWS's page
(https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html)."""

import json
from dataclasses import replace

import pytest

from clary.workload.transform.jsonpath import BadPath, parse
from clary.workload.transform.processing import Mismatched, Processing


def processing(content_type="text/csv", split="Line", input_filter="$", output_filter="$", join=False):
    return Processing.of(
        {
            "content_type": content_type,
            "split": split,
            "input_filter": input_filter,
            "output_filter": output_filter,
            "join": join,
        }
    )


ROWS = b"id1,1,2\nid2,3,4\n"


def test_nothing_to_do_touches_nothing():
    nothing = processing()
    assert nothing.is_nothing
    odd = b'a,"b\n'
    assert (nothing.request(odd), nothing.answer(odd, b"x")) == (odd, b"x")


def test_the_id_column_is_not_sent_and_comes_back():
    rules = processing(input_filter="$[1:]", output_filter="$[0,-1]", join=True)
    assert rules.request(ROWS) == b"1,2\n3,4\n"
    assert rules.answer(ROWS, b"0.1\n0.2\n") == b"id1,0.1\nid2,0.2\n"


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("$[0]", b"id1\nid2\n"),
        ("$[1:]", b"1,2\n3,4\n"),
        ("$[-1]", b"2\n4\n"),
        ("$[0,2]", b"id1,2\nid2,4\n"),
        ("$[:2]", b"id1,1\nid2,3\n"),
        ("$[2,0]", b"2,id1\n4,id2\n"),
        ("$[0,2:]", b"id1,2\nid2,4\n"),
        ("$[*]", ROWS),
    ],
)
def test_columns_of_csv(path, kept):
    assert processing(input_filter=path).request(ROWS) == kept


def test_the_whole_joined_row():
    assert processing(join=True).answer(ROWS, b"0.1\n0.2") == b"id1,1,2,0.1\nid2,3,4,0.2\n"


def test_quoted_cells_stay_whole():
    rules = processing(input_filter="$[1:]", join=True)
    row = b'"a, b",1,"say ""hi"""\n'
    assert rules.request(row) == b'1,"say ""hi"""\n'
    assert rules.answer(row, b"5\n") == b'"a, b",1,"say ""hi""",5\n'


def test_json_lines_are_joined_as_members():
    rules = processing(
        "application/jsonlines", input_filter="$.features", output_filter="$['id','SageMakerOutput']", join=True
    )
    batch = b'{"id":1,"features":[1,2]}\n{"id":2,"features":[3,4]}\n'
    assert rules.request(batch) == b"[1,2]\n[3,4]\n"
    answer = rules.answer(batch, b'{"score":0.5}\n{"score":0.7}\n')
    assert [json.loads(line) for line in answer.splitlines()] == [
        {"id": 1, "SageMakerOutput": {"score": 0.5}},
        {"id": 2, "SageMakerOutput": {"score": 0.7}},
    ]


def test_a_json_object_gets_a_member_for_its_answer():
    rules = processing("application/json", split="None", join=True)
    assert json.loads(rules.answer(b'{"customer": 7}', b'{"predicted": 1}')) == {
        "customer": 7,
        "SageMakerOutput": {"predicted": 1},
    }


def test_a_json_list_is_put_beside_its_answer():
    rules = processing("application/json", split="None", join=True)
    assert json.loads(rules.answer(b"[1, 2]", b"3")) == {"SageMakerInput": [1, 2], "SageMakerOutput": 3}


def test_each_record_has_an_id_of_its_own_when_asked_for():
    rules = replace(processing(), stamp=iter([("i1", "now"), ("i2", "now")]).__next__)
    assert rules.answer(ROWS, b"0.1\n0.2\n") == b"0.1,i1,now\n0.2,i2,now\n"
    rules = replace(processing("application/jsonlines"), stamp=lambda: ("i", "now"))
    assert json.loads(rules.answer(b"{}", b'{"score":1}\n')) == {
        "score": 1,
        "SageMakerInferenceId": "i",
        "SageMakerInferenceTime": "now",
    }


def test_records_that_were_not_all_answered_cannot_be_joined():
    with pytest.raises(Mismatched, match="2 records were answered by 1"):
        processing(join=True).answer(ROWS, b"0.1\n")


@pytest.mark.parametrize("path", ["$[7]", "$.name"])
def test_filters_that_lead_nowhere(path):
    with pytest.raises(Mismatched, match=r"no column|leads nowhere"):
        processing(input_filter=path).request(ROWS)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$", {"a": {"b": [1, 2, 3]}, "c d": 4}),
        ("$.a.b", [1, 2, 3]),
        ("$['c d']", 4),
        ("$.a.b[1:]", [2, 3]),
        ("$.a.b[-1]", 3),
        ("$.a.b[0,2]", [1, 3]),
        ("$.a.*", [[1, 2, 3]]),
        ("$['c d','a']", {"c d": 4, "a": {"b": [1, 2, 3]}}),
        ("$.['c d','a']", {"c d": 4, "a": {"b": [1, 2, 3]}}),
        ("$.a.b[0,1:]", [1, 2, 3]),
        ("", {"a": {"b": [1, 2, 3]}, "c d": 4}),
    ],
)
def test_paths(path, found):
    assert parse(path).of({"a": {"b": [1, 2, 3]}, "c d": 4}) == found


@pytest.mark.parametrize("path", ["a", "$.", "$[", "$..a", "$[?(@.a)]", "$[1", "$['a]", "$[1,]", "$['a',1]"])
def test_what_is_no_path(path):
    with pytest.raises(BadPath):
        parse(path)


def test_odd_characters_are_no_ends_of_rows():
    odd = "a\u2028b,1\r\nc\x0cd,2\r\n".encode()
    assert processing(join=True).answer(odd, b"5\n6\n") == "a\u2028b,1,5\nc\x0cd,2,6\n".encode()


@pytest.mark.parametrize("path", ["$[1:]", "$[0]", "$[-1]", "$[0,-1]", "$[2,0]", "$[0,2:]", "$[:-1]", "$[*]"])
def test_rows_with_and_without_quotes_are_cut_alike(path):
    plain, quoted = b"a,b,c\nd,e,f\n", b'"a","b","c"\n"d","e","f"\n'
    assert processing(input_filter=path).request(plain) == processing(input_filter=path).request(quoted).replace(
        b'"', b""
    )


@pytest.mark.parametrize("batch", [b"{", b"\xff"])
def test_records_that_cannot_be_read(batch):
    with pytest.raises(Mismatched, match="cannot be read"):
        processing("application/jsonlines", input_filter="$.a").request(batch)


@pytest.mark.parametrize("split", ["Line", "None"])
def test_an_answer_that_is_nested_without_end_cannot_be_read(split):
    with pytest.raises(Mismatched, match="output cannot be read"):
        processing("application/json", split=split, join=True).answer(b"1", b"[" * 200_000)
