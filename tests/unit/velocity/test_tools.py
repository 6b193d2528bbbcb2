"""`$input` and `$util`, as AWS documents them."""

from __future__ import annotations

import json

import pytest

from clary.velocity import TemplateError, parse
from clary.velocity.tools import Input, Util

BODY = json.dumps(
    {
        "name": "it's",
        "age": 7,
        "tags": ["a", "b", "c"],
        "rows": [{"x": 1, "y": "p"}, {"x": 2, "y": "q"}, {"x": 3}],
        "a.b": {"c d": None},
        "yes": True,
    }
)
PARAMS = {"path": {"id": "p"}, "querystring": {"id": "q", "page": "2"}, "header": {"page": "h", "Accept": "*/*"}}


def render(text: str, body: str = BODY) -> str:
    return parse(text).render({"input": Input(body, PARAMS), "util": Util()})


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$.name", '"it\'s"'),
        ("$.age", "7"),
        ("$.tags", '["a","b","c"]'),
        ("$.tags[0]", '"a"'),
        ("$.tags[-1]", '"c"'),
        ("$.tags[0,2]", '["a","c"]'),
        ("$.tags[1:]", '["b","c"]'),
        ("$.rows[*].x", "[1,2,3]"),
        ("$..y", '["p","q"]'),
        ("$.rows[?(@.x > 1)].x", "[2,3]"),
        ("$.rows[?(@.y)].y", '["p","q"]'),
        ("$.rows[?(@.x == 1 || @.y == 'q')].x", "[1,2]"),
        ("$.rows[?(!@.y && @.x <= 3)].x", "[3]"),
        ("$['a.b']['c d']", "null"),
        ("$.tags.length()", "3"),
        ("$.none", '""'),
        ("$.none[*]", '""'),
        ("$.rows[9].x", '""'),
        ("$.yes", "true"),
    ],
)
def test_json(path: str, expected: str) -> None:
    found = render(f'$input.json("{path}")' if "'" in path else f"$input.json('{path}')")
    assert found == expected or (path == "$.none[*]" and found == "[]")


def test_path_gives_values_to_go_on_with() -> None:
    assert render("#set($r = $input.path('$'))$r.name $r.rows[1].y #foreach($t in $r.tags)$t#end") == "it's q abc"
    assert render("[$input.path('$.none')]") == "[]"


def test_the_body_may_be_empty_or_no_json() -> None:
    assert render("$input.json('$')", "") == "{}"
    assert render("$input.json('$') $input.path('$')", "1,2") == '"1,2" 1,2'
    assert render("$input.body", "1,2") == "1,2"


def test_params_are_searched_in_path_query_and_headers() -> None:
    assert (
        render("$input.params('id') $input.params('page') $input.params('Accept') [${input.params('none')}]")
        == "p 2 */* []"
    )
    assert render("$input.params().querystring.page $input.params().header.get('page')") == "2 h"
    text = "#foreach($k in $input.params().get('querystring').keySet())$k;#end"
    assert render(text) == "id;page;"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$util.escapeJavaScript($input.path('$.name'))", r"it\'s"),
        ("$util.escapeJavaScript('a\"b/ü')", r"a\"b\/\u00FC"),
        ("$util.urlEncode('a b&c') $util.urlDecode('a+b%26c')", "a+b%26c a b&c"),
        ("$util.base64Encode('abc') $util.base64Decode('YWJj')", "YWJj abc"),
        ("$util.parseJson('{\"a\": [1]}').a[0]", "1"),
    ],
)
def test_util(text: str, expected: str) -> None:
    assert render(text) == expected


@pytest.mark.parametrize(
    "text",
    ["$util.parseJson('{')", "$util.base64Decode('!')", "$util.exec('ls')", "$input.json('$[')", "$input.none()"],
)
def test_what_cannot_be_is_an_error(text: str) -> None:
    with pytest.raises(TemplateError):
        render(text)


def test_a_body_nested_without_end_is_an_error() -> None:
    with pytest.raises(TemplateError):
        render("$input.json('$')", "[" * 100_000)


def test_a_template_that_hands_features_to_an_endpoint() -> None:
    """The kind of template that stands before a model."""
    template = """
#set($root = $input.path('$'))
#foreach($row in $root.rows)
$row.x,#if($row.y)$row.y#{else}none#end
#if($foreach.hasNext)

#end
#end"""
    assert render(template).split() == ["1,p", "2,q", "3,none"]
