"""PMML files that somebody sends to do harm, or that are broken: refused with the reason, quickly."""

import re

import pytest

from clary.toolkit.pmml import reading
from clary.toolkit.pmml.document import PmmlModel
from clary.toolkit.pmml.reading import Invalid
from tests.unit.toolkit.pmml.documents import data, linear, number, pmml, schema

PLAIN = pmml(linear(number("x", 1), schema("x")), data(x="double")).decode()


def with_doctype(subset: str, used: str = "") -> bytes:
    head, _, rest = PLAIN.partition("?>")
    return f"{head}?><!DOCTYPE PMML [{subset}]>{rest.replace('<Header/>', f'<Header>{used}</Header>')}".encode()


LAUGHS = '<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {one} "{f"&{other};" * 10}">' for one, other in zip("bcdefghij", "abcdefghi", strict=True)
)


@pytest.mark.parametrize(
    "content",
    [
        with_doctype(LAUGHS, "&j;"),
        with_doctype('<!ENTITY secret SYSTEM "file:///etc/passwd">', "&secret;"),
        with_doctype('<!ENTITY % outer SYSTEM "http://example.com/outer.dtd">%outer;'),
        with_doctype(""),
    ],
    ids=["billion-laughs", "external-entity", "parameter-entity", "doctype"],
)
def test_document_types_and_entities_are_not_read(content: bytes) -> None:
    with pytest.raises(Invalid, match="document type or entities"):
        PmmlModel(content)


def nested(levels: int) -> str:
    node = '<Node score="1"><True/>'
    tree = f'<TreeModel functionName="regression">{schema("x")}{node * levels}{"</Node>" * levels}</TreeModel>'
    return pmml(tree, data(x="double")).decode()


def test_nesting_has_an_end() -> None:
    with pytest.raises(Invalid, match=f"more than {reading.MOST_DEPTH} levels"):
        PmmlModel(nested(100_000).encode())
    assert PmmlModel(nested(300).encode()).ask({"x": [1]}, 1) == {"prediction": [1.0]}
    deep = "<Apply function='abs'>" * 390 + "<FieldRef field='x'/>" + "</Apply>" * 390
    made = (
        f"<LocalTransformations><DerivedField name='d' dataType='double'>{deep}</DerivedField></LocalTransformations>"
    )
    with pytest.raises(Invalid, match="levels"):
        PmmlModel(pmml(linear(number("d", 1), schema("x"), 0, made), data(x="double")))


def test_files_and_elements_have_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_ELEMENTS", 5)
    with pytest.raises(Invalid, match="more than 5 elements"):
        PmmlModel(PLAIN.encode())
    monkeypatch.setattr(reading, "MOST_BYTES", 100)
    with pytest.raises(Invalid, match="more than 100"):
        PmmlModel(PLAIN.encode())


def test_a_tree_with_a_label_at_each_of_many_nodes_is_refused() -> None:
    leaves = "".join(f'<Node score="{place}"><True/></Node>' for place in range(8_000))
    tree = f'<TreeModel functionName="classification">{schema("x")}<Node><True/>{leaves}</Node></TreeModel>'
    with pytest.raises(Invalid, match="is too large"):
        PmmlModel(pmml(tree, data(x="double")))


def chain(names: list[tuple[str, str]]) -> bytes:
    made = "".join(
        f'<DerivedField name="{name}" dataType="double"><Apply function="+"><FieldRef field="{other}"/>'
        "<Constant>1</Constant></Apply></DerivedField>"
        for name, other in names
    )
    last = names[0][0]
    model = linear(number(last, 1), schema("x"), 0, f"<LocalTransformations>{made}</LocalTransformations>")
    return pmml(model, data(x="double"))


def test_fields_made_of_themselves_are_refused_and_long_chains_are_not() -> None:
    with pytest.raises(Invalid, match="is made of itself"):
        PmmlModel(chain([("a", "b"), ("b", "c"), ("c", "a")]))
    with pytest.raises(Invalid, match="'a' is made of itself"):
        PmmlModel(chain([("a", "a")]))
    long = [(f"f{place}", f"f{place + 1}") for place in range(3_000)]
    assert PmmlModel(chain([*long, ("f3000", "x")])).ask({"x": [0]}, 1) == {"prediction": [3001.0]}


def changed(old: str, new: str, content: str = PLAIN) -> bytes:
    assert old in content
    return content.replace(old, new).encode()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no XML"),
        (PLAIN[:-20].encode(), "no XML"),
        (b"<html/>", "is html of version none"),
        (changed("PMML-4_4", "PMML-9_9"), "not PMML"),
        (changed('version="4.4"', 'version="5.0"'), "PMML of version 5.0, not PMML of 4.0 to 4.4"),
        (changed('version="4.4"', 'version="3.2"'), "version 3.2"),
        (changed('<DataField name="x"', '<DataField name="y"'), "'x' is not in the dictionary"),
        (changed('<NumericPredictor name="x"', '<NumericPredictor name="z"'), "'z', which is no field of numbers"),
        (changed('dataType="double"', 'dataType="dateTime"'), "the data type 'dateTime' is not offered"),
        (changed('coefficient="1"', 'coefficient="much"'), "'much' is no number"),
        (changed('functionName="regression"', 'functionName="timeSeries"'), "RegressionModel of timeSeries"),
        (changed("RegressionModel", "GaussianProcessModel"), "GaussianProcessModel is not offered"),
        (changed('<DataField name="x"', '<DataField name="x" dataType="string"/><DataField name="x"'), "no XML|twice"),
        (changed("<RegressionTable", "<RegressionTable intercept='0'/><RegressionTable"), "2 tables"),
    ],
)
def test_files_that_are_not_what_they_say(content: bytes, said: str) -> None:
    with pytest.raises(Invalid) as refused:
        PmmlModel(content)
    assert re.search(said, str(refused.value)), refused.value


def test_two_models_and_none() -> None:
    model = linear(number("x", 1), schema("x"))
    for body, said in ((model + model, "2 models"), ("", "no model")):
        with pytest.raises(Invalid, match=said):
            PmmlModel(pmml(body, data(x="double")))


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ('<Apply function="system"><FieldRef field="x"/></Apply>', "'system' is not offered"),
        ('<Apply function="+"><FieldRef field="x"/></Apply>', "applied to 1 arguments"),
        ('<Apply function="+"><FieldRef field="x"/><FieldRef field="s"/></Apply>', "applied to double, string"),
        ('<FieldRef field="nowhere"/>', "'nowhere', which is no field"),
        ('<TextIndex textField="s"><Constant>a</Constant></TextIndex>', "TextIndex is not offered"),
        ('<NormContinuous field="x"><LinearNorm orig="0" norm="0"/></NormContinuous>', "no rising points"),
    ],
)
def test_expressions_that_are_none(expression: str, said: str) -> None:
    field = f'<DerivedField name="d" dataType="double">{expression}</DerivedField>'
    made = f"<LocalTransformations>{field}</LocalTransformations>"
    with pytest.raises(Invalid, match=said):
        PmmlModel(pmml(linear(number("d", 1), schema("x", "s"), 0, made), data(x="double", s="string")))


def test_what_other_programs_have_added_is_passed_over() -> None:
    extension = '<Extension name="a"><b xmlns="http://example.com/b"><c/>text</b></Extension>'
    content = changed("<Header/>", f'<Header>{extension}</Header><own xmlns="http://example.com/own"><PMML/></own>')
    assert PmmlModel(content).ask({"x": [2]}, 1) == {"prediction": [2.0]}
