"""Every kind of model that PMML says and we ask, on files written for this, with answers worked out by hand."""

import math

import numpy as np
import pytest

from clary.toolkit.pmml.columns import Unanswerable
from clary.toolkit.pmml.document import PmmlModel
from clary.toolkit.pmml.reading import Invalid
from tests.unit.toolkit.pmml.documents import asked, data, linear, number, pmml, schema

GARAGE = (
    '<CategoricalPredictor name="parked" value="garage" coefficient="-3"/>'
    '<PredictorTerm coefficient="0.5"><FieldRef field="age"/><FieldRef field="km"/></PredictorTerm>'
)
CLAIMS = pmml(
    linear(number("age", 2) + number("km", 0.1, 2) + GARAGE, schema("age", "km", "parked", target="claims"), 10),
    data(age="double", km="double", parked="string", claims="double"),
)


def test_a_regression_with_categories_powers_and_products() -> None:
    rows = [{"age": 3, "km": 10, "parked": "garage"}, {"age": 3, "km": 10, "parked": "street"}, {"age": 3, "km": 10}]
    assert asked(CLAIMS, *rows) == [10 + 6 + 10 - 3 + 15, 41, 41]
    assert asked(CLAIMS, {"km": 10, "parked": "garage"}) == [None], "without a number there is no sum"


@pytest.mark.parametrize(
    ("method", "wanted"),
    [
        ("none", 1.5),
        ("exp", math.exp(1.5)),
        ("logit", 1 / (1 + math.exp(-1.5))),
        ("softmax", 1 / (1 + math.exp(-1.5))),
        ("probit", 0.5 * math.erfc(-1.5 / math.sqrt(2))),
        ("cloglog", 1 - math.exp(-math.exp(1.5))),
        ("loglog", math.exp(-math.exp(-1.5))),
        ("cauchit", 0.5 + math.atan(1.5) / math.pi),
    ],
)
def test_what_a_regressions_margin_becomes(method: str, wanted: float) -> None:
    model = linear(number("x", 3), schema("x"), normalizationMethod=method)
    assert asked(pmml(model, data(x="double")), {"x": 0.5}) == [pytest.approx(wanted, abs=1e-12)]


def classifier(method: str, *tables: tuple[str, float]) -> bytes:
    said = "".join(f'<RegressionTable targetCategory="{text}" intercept="{margin}"/>' for text, margin in tables)
    model = (
        f'<RegressionModel functionName="classification" normalizationMethod="{method}">'
        f"{schema('x', target='y')}{said}</RegressionModel>"
    )
    return pmml(model, data(x="double", y="string"))


@pytest.mark.parametrize(
    ("method", "tables", "label", "wanted"),
    [
        ("logit", [("a", 1.0), ("b", 0.0)], "a", [0.7310585786, 0.2689414214]),
        ("softmax", [("a", 1.0), ("b", 2.0), ("c", 0.5)], "b", [0.2312239, 0.6285317, 0.1402444]),
        ("simplemax", [("a", 1.0), ("b", 2.0), ("c", 1.0)], "b", [0.25, 0.5, 0.25]),
        ("none", [("a", 0.2), ("b", 0.0)], "b", [0.2, 0.8]),
    ],
)
def test_margins_become_probabilities_of_labels(method: str, tables: list, label: str, wanted: list) -> None:
    content = classifier(method, *tables)
    assert asked(content, {"x": 1.0}) == [label]
    found = PmmlModel(content).probabilities(np.zeros((1, 1)))
    assert [values[0] for values in found.values()] == pytest.approx(wanted, abs=1e-7)


WEATHER = """<TreeModel functionName="classification" missingValueStrategy="{}" noTrueChildStrategy="{}">{}
<Node id="0" score="stay" defaultChild="2"><True/><ScoreDistribution value="stay" recordCount="6"/>
<ScoreDistribution value="go" recordCount="4"/>
<Node id="1" score="go"><SimplePredicate field="sky" operator="equal" value="clear"/>
<ScoreDistribution value="go" recordCount="3"/><ScoreDistribution value="stay" recordCount="1"/>
<Node id="3" score="stay"><CompoundPredicate booleanOperator="or">
<SimplePredicate field="wind" operator="greaterThan" value="30"/><SimplePredicate field="wind" operator="lessOrEqual"
value="-1"/></CompoundPredicate></Node></Node>
<Node id="2" score="stay"><SimpleSetPredicate field="sky" booleanOperator="isIn"><Array type="string" n="2">rain
"thunder storm"</Array></SimpleSetPredicate></Node></Node></TreeModel>"""


def weather(strategy: str = "none", last: str = "returnNullPrediction") -> bytes:
    return pmml(
        WEATHER.format(strategy, last, schema("sky", "wind", target="what")),
        data(sky="string", wind="double", what="string"),
    )


@pytest.mark.parametrize(
    ("strategy", "last", "wanted"),
    [
        ("none", "returnNullPrediction", ["stay", None, "stay", None, None]),
        ("none", "returnLastPrediction", ["stay", "go", "stay", "stay", "stay"]),
        ("lastPrediction", "returnNullPrediction", ["stay", None, "stay", "stay", None]),
        ("nullPrediction", "returnLastPrediction", ["stay", "go", "stay", None, "stay"]),
        ("defaultChild", "returnNullPrediction", ["stay", None, "stay", "stay", None]),
    ],
)
def test_rows_go_down_a_tree(strategy: str, last: str, wanted: list) -> None:
    rows = [
        {"sky": "clear", "wind": 40},
        {"sky": "clear", "wind": 10},
        {"sky": "thunder storm"},
        {"wind": 1},
        {"sky": "fog"},
    ]
    assert asked(weather(strategy, last), *rows) == wanted


def test_a_leafs_share_is_the_probability() -> None:
    found = PmmlModel(weather("none", "returnLastPrediction")).probabilities(np.asarray([["clear", 10]], object))
    assert {text: values.tolist() for text, values in found.items()} == {"stay": [0.25], "go": [0.75]}


def segment(body: str, predicate: str = "<True/>", weight: float = 1) -> str:
    return f'<Segment weight="{weight}">{predicate}{body}</Segment>'


def ensemble(method: str, *segments: str, function: str = "regression", extra: str = "") -> bytes:
    model = (
        f'<MiningModel functionName="{function}">{schema("x", target="y")}{extra}'
        f'<Segmentation multipleModelMethod="{method}">{"".join(segments)}</Segmentation></MiningModel>'
    )
    return pmml(model, data(x="double", y="double" if function == "regression" else "string"))


POSITIVE = '<SimplePredicate field="x" operator="greaterThan" value="0"/>'


@pytest.mark.parametrize(
    ("method", "wanted"),
    [
        ("sum", [6.0, -5.0]),
        ("average", [3.0, -5.0]),
        ("weightedSum", [14.0, -5.0]),
        ("weightedAverage", [3.5, -5.0]),
        ("median", [3.0, -5.0]),
        ("max", [4.0, -5.0]),
        ("selectFirst", [2.0, -5.0]),
    ],
)
def test_numbers_of_several_models_become_one(method: str, wanted: list) -> None:
    four, two, five = (linear(number("x", each), schema("x")) for each in (4, 2, 5))
    negative = POSITIVE.replace("greaterThan", "lessThan")
    parts = [segment(four, POSITIVE, 3), segment(two, POSITIVE, 1), segment(five, negative)]
    if method == "selectFirst":
        parts = [parts[1], parts[0], parts[2]]
    assert asked(ensemble(method, *parts), {"x": 1}, {"x": -1}) == wanted


@pytest.mark.parametrize(
    ("method", "wanted"),
    [("majorityVote", ["b"]), ("weightedMajorityVote", ["a"]), ("average", ["b"]), ("weightedAverage", ["a"])],
)
def test_labels_of_several_models_become_one(method: str, wanted: list) -> None:
    def says(label: str) -> str:
        return (
            f'<TreeModel functionName="classification">{schema("x")}<Node score="{label}"><True/>'
            f'<ScoreDistribution value="{label}" recordCount="1"/></Node></TreeModel>'
        )

    parts = [segment(says(label), weight=weight) for label, weight in (("a", 5), ("b", 1), ("b", 1))]
    assert asked(ensemble(method, *parts, function="classification"), {"x": 1}) == wanted


def test_a_chain_tells_each_model_what_the_one_before_has_said() -> None:
    output = '<Output><OutputField name="margin" dataType="double" feature="predictedValue"/></Output>'
    first = linear(number("x", 2), schema("x"), 1, output)
    second = linear(number("margin", 10), schema("margin"), normalizationMethod="none")
    targets = (
        '<Targets><Target field="y" rescaleFactor="2" rescaleConstant="1" max="25" castInteger="round"/></Targets>'
    )
    content = ensemble("modelChain", segment(first), segment(second), extra=targets)
    assert asked(content, {"x": 0.5}, {"x": 5}) == [41, 51]


CENTRES = """<ClusteringModel functionName="clustering" modelClass="centerBased" numberOfClusters="2">{}
<ComparisonMeasure kind="distance">{}</ComparisonMeasure><ClusteringField field="x"/><ClusteringField field="z"
fieldWeight="4"/><Cluster id="near"><Array n="2" type="real">0 0</Array></Cluster><Cluster id="far"><Array n="2"
type="real">3 1</Array></Cluster></ClusteringModel>"""


@pytest.mark.parametrize(
    ("metric", "wanted"),
    [
        ("<squaredEuclidean/>", ["near", "far"]),
        ("<euclidean/>", ["near", "far"]),
        ("<cityBlock/>", ["near", "far"]),
        ("<chebychev/>", ["near", "far"]),
        ('<minkowski p-parameter="3"/>', ["near", "far"]),
    ],
)
def test_the_nearest_centre(metric: str, wanted: list) -> None:
    content = pmml(CENTRES.format(schema("x", "z"), metric), data(x="double", z="double"))
    assert asked(content, {"x": 1, "z": 0}, {"x": 2, "z": 1}, {"x": 1}) == [*wanted, None]


def derived(name: str, body: str, kind: str = "double") -> str:
    return f'<DerivedField name="{name}" optype="continuous" dataType="{kind}">{body}</DerivedField>'


def apply(function: str, *arguments: str, more: str = "") -> str:
    return f'<Apply function="{function}"{more}>{"".join(arguments)}</Apply>'


X, S = '<FieldRef field="x"/>', '<FieldRef field="s"/>'


def constant(value: object) -> str:
    return f"<Constant>{value}</Constant>"


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (apply("+", apply("*", X, constant(3)), constant(1)), [7, None]),
        (apply("/", apply("-", X, constant(1)), constant(4), more=' mapMissingTo="9"'), [0.25, 9]),
        (apply("if", apply("isMissing", X), constant(5), apply("pow", X, constant(3))), [8, 5]),
        (apply("max", X, constant(1)), [2, 1]),
        (apply("and", apply("greaterThan", X, constant(0)), apply("lessThan", X, constant(2))), [0, None]),
        (apply("or", apply("equal", X, constant(2)), apply("isMissing", X)), [1, 1]),
        (apply("ln", apply("-", X, constant(2.5)), more=' invalidValueTreatment="asMissing"'), [None, None]),
        (apply("threshold", X, constant(1)), [1, None]),
        (apply("stringLength", apply("concat", S, S)), [4, 4]),
        (apply("isIn", S, constant("ab"), constant("cd")), [1, 1]),
        ('<NormDiscrete field="s" value="ab"/>', [1, 1]),
        (
            (
                '<NormContinuous field="x" mapMissingTo="0"><LinearNorm orig="0" norm="0"/>'
                '<LinearNorm orig="1" norm="10"/></NormContinuous>'
            ),
            [20, 0],
        ),
        (
            (
                '<NormContinuous field="x" outliers="asExtremeValues"><LinearNorm orig="0" norm="0"/>'
                '<LinearNorm orig="1" norm="10"/></NormContinuous>'
            ),
            [10, None],
        ),
        (
            (
                '<Discretize field="x" dataType="double" mapMissingTo="-1"><DiscretizeBin binValue="1"><Interval '
                'closure="openClosed" rightMargin="1"/></DiscretizeBin><DiscretizeBin binValue="2"><Interval '
                'closure="openOpen" leftMargin="1" rightMargin="3"/></DiscretizeBin></Discretize>'
            ),
            [2, -1],
        ),
        (
            (
                '<MapValues outputColumn="to" dataType="double" defaultValue="0">'
                '<FieldColumnPair field="s" column="from"/>'
                "<InlineTable><row><from>ab</from><to>7</to></row></InlineTable></MapValues>"
            ),
            [7, 7],
        ),
    ],
)
def test_fields_made_of_fields(body: str, wanted: list) -> None:
    made = f"<LocalTransformations>{derived('made', body)}</LocalTransformations>"
    content = pmml(linear(number("made", 1), schema("x", "s"), 0, made), data(x="double", s="string"))
    assert asked(content, {"x": 2, "s": "ab"}, {"s": "ab"}) == wanted


def test_fields_of_the_dictionary_may_be_made_in_any_order() -> None:
    shared = derived("c", apply("+", '<FieldRef field="b"/>', constant(1))) + derived("b", apply("*", X, constant(2)))
    content = pmml(linear(number("c", 1), schema("x")), data(x="double"), shared=shared)
    assert asked(content, {"x": 4}) == [9]


def test_floats_are_rounded_as_they_are_compared() -> None:
    tree = (
        f'<TreeModel functionName="regression">{schema("x")}<Node score="0"><True/><Node score="1">'
        '<SimplePredicate field="x" operator="lessOrEqual" value="0.1"/></Node><Node score="2"><True/></Node></Node>'
        "</TreeModel>"
    )
    assert asked(pmml(tree, data(x="float")), {"x": 0.1000000001}, {"x": 0.100001}) == [1, 2]
    assert asked(pmml(tree, data(x="double")), {"x": 0.1000000001}) == [2]


@pytest.mark.parametrize(
    ("field", "value", "wanted"),
    [
        ('missingValueReplacement="7"', None, 7),
        ('invalidValueTreatment="asMissing" missingValueReplacement="7"', 11, 7),
        ('invalidValueTreatment="asIs"', 11, 11),
        ('invalidValueTreatment="asValue" invalidValueReplacement="3"', 11, 3),
        ('outliers="asExtremeValues" lowValue="2" highValue="4"', 9, 4),
        ('outliers="asMissingValues" lowValue="2" highValue="4"', 9, None),
        ("", -99, None),
    ],
)
def test_how_a_model_takes_values(field: str, value: object, wanted: object) -> None:
    dictionary = (
        '<DataField name="x" optype="continuous" dataType="double"><Interval closure="closedOpen" leftMargin="0" '
        'rightMargin="10"/><Value value="-99" property="missing"/></DataField>'
    )
    taken = f'<MiningSchema><MiningField name="x" {field}/></MiningSchema>'
    assert asked(pmml(linear(number("x", 1), taken), dictionary), {"x": value}) == [wanted]


def test_what_the_dictionary_does_not_allow_is_refused() -> None:
    dictionary = '<DataField name="s" optype="categorical" dataType="string"><Value value="a"/></DataField>'
    content = pmml(linear('<CategoricalPredictor name="s" value="a" coefficient="1"/>', schema("s")), dictionary)
    with pytest.raises(Unanswerable, match="s may not be b"):
        asked(content, {"s": "b"})
    with pytest.raises(Unanswerable, match="age is no double"):
        asked(CLAIMS, {"age": "old"})


def test_a_table_is_asked_in_the_order_of_the_fields() -> None:
    model = PmmlModel(CLAIMS)
    assert (list(model.inputs), model.n_features_in_) == (["age", "km", "parked"], 3)
    table = np.asarray([[3, 10, "garage"]], object)
    assert model.predict(table).tolist() == [38]
    with pytest.raises(Unanswerable, match="rows of 3 values"):
        model.predict(np.zeros((1, 2)))


def test_outputs_are_answered_by_their_names() -> None:
    output = (
        '<Output><OutputField name="cost" optype="continuous" dataType="integer" feature="transformedValue">'
        + apply("round", apply("*", '<FieldRef field="y"/>', constant(2)))
        + "</OutputField></Output>"
    )
    model = linear(number("x", 1), schema("x", target="y"), 0.2, output)
    assert PmmlModel(pmml(model, data(x="double", y="double"))).ask({"x": [1]}, 1) == {"y": [1.2], "cost": [2]}


@pytest.mark.parametrize("version", ["4.0", "4.1", "4.2", "4.3", "4.4"])
def test_versions(version: str) -> None:
    assert asked(pmml(linear(number("x", 1), schema("x")), data(x="double"), version), {"x": 1}) == [1]


def test_what_is_not_offered_is_refused_when_it_is_loaded() -> None:
    with pytest.raises(Invalid, match="NeuralNetwork is not offered"):
        PmmlModel(pmml(f'<NeuralNetwork functionName="regression">{schema("x")}</NeuralNetwork>', data(x="double")))


def test_a_model_inside_of_another_one_has_its_labels() -> None:
    tree = f'<TreeModel functionName="classification">{schema("x")}<Node score="7"><True/></Node></TreeModel>'
    model = (
        f'<MiningModel functionName="classification">{schema("x", target="y")}'
        f'<Segmentation multipleModelMethod="selectFirst">{segment(tree)}</Segmentation></MiningModel>'
    )
    assert asked(pmml(model, data(x="double", y="integer")), {"x": 1}) == [7]
