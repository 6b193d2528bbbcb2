"""Requests to a model given as PMML, and their answers."""

import json

from tests.unit.toolkit.pmml.documents import data, linear, number, pmml, schema

OUTPUT = '<Output><OutputField name="claims" feature="predictedValue"/></Output>'
CATEGORY = '<CategoricalPredictor name="parked" value="garage" coefficient="-3"/>'
CLAIMS = pmml(
    linear(number("age", 2) + CATEGORY, schema("age", "parked"), 10, OUTPUT), data(age="double", parked="string")
)
ROWS = [[1, "street"], [2, "garage"], [None, "street"]]


def test_a_model_given_as_pmml_needs_no_script(opt, serve, neo_python):
    (opt.base / "model/claims.pmml").write_bytes(CLAIMS)
    server = serve(neo_python, "clary.algorithms.neo.serve", "tensors")
    wanted = [12.0, 11.0, None]
    assert json.loads(server.invoke("1,street\n2,garage\n,street\n")[1]) == wanted
    assert json.loads(server.invoke(json.dumps(ROWS), "application/json")[1]) == wanted
    assert json.loads(server.invoke('[1, "street"]', "application/json")[1]) == wanted[:1]
    assert server.invoke("1,street\n2,garage\n", accept="text/csv")[1] == b"12.0\n11.0\n"
    named = server.invoke('{"age": [1, 2], "parked": ["street", "garage"]}', "application/json")[1]
    assert json.loads(named) == {"claims": wanted[:2]}
    records = server.invoke('[{"age": 1, "parked": "street"}, {"parked": "street"}]', "application/json")[1]
    assert [each["claims"] for each in json.loads(records)] == [12.0, None]
    for body, kind, status, said in (
        ("1,2,3", "text/csv", 400, b"a row of 3 values; the model takes rows of 2: age, parked"),
        ("old,street", "text/csv", 400, b"age is no double"),
        ('{"km": [1]}', "application/json", 400, b"no input 'km'"),
        ('{"age": [1], "parked": ["a", "b"]}', "application/json", 400, b"same number of values"),
        ("{", "application/json", 400, b"Error while decoding application/json"),
        ("[]", "application/json", 400, b"JSON rows"),
        ("<a/>", "text/xml", 415, b"text/xml"),
    ):
        answer = server.invoke(body, kind)
        assert (answer[0], said in answer[1]) == (status, True), answer


def test_the_frameworks_image_serves_pmml_too(opt, serve, sklearn_python):
    body = linear(number("a", 1) + number("b", 10), schema("a", "b"))
    (opt.base / "model/model.pmml").write_bytes(pmml(body, data(a="double", b="double")))
    server = serve(sklearn_python)
    assert json.loads(server.invoke("1,2\n3,4", accept="application/json")[1]) == [21, 43]
