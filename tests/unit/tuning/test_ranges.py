"""Ranges that make no sense, told in AWS's words.

One text is AWS's own, as users have posted it: too few combinations (aws/amazon-sagemaker-operator-for-k8s, issue 123).
The sentences on scaling, Grid, Hyperband and one algorithm are those of its guide. For all else no public source shows
the text: the rule is AWS's, the words are ours.
"""

from __future__ import annotations

import pytest

from clary.errors import ValidationError
from clary.tuning import ranges as checked
from tests.unit.tuning.requests import categorical, continuous, integer, ranges, request, several

BRACKETS = {"StrategyConfig": {"HyperbandStrategyConfig": {"MaxResource": 27}}}


def refused(spec):
    with pytest.raises(ValidationError) as caught:
        checked.check(spec)
    return caught.value.message


def test_what_makes_sense_is_let_through():
    checked.check(request(ranges([continuous()], [integer("n", "1", "9")], [categorical()])))
    checked.check(request(ranges([continuous("x", "-1", "1", "Linear"), continuous("y", "1e-5", "1", "Logarithmic")])))
    checked.check(request(ranges([continuous("x", "0", "0.999", "ReverseLogarithmic")])))
    checked.check(request(ranges([], [integer("n", "-5", "50")]), "Random"))
    checked.check(request(ranges([], [], [categorical()]), "Grid", jobs=None))
    checked.check(request(ranges([], [], [categorical("a"), categorical("b")]), "Grid", jobs=9))
    checked.check(request(strategy="Hyperband", **BRACKETS))
    checked.check(several(ranges([continuous()]), ranges([], [integer("n", "1", "30")])))


CASES = {
    "a minimum above the maximum": (continuous("x", "2", "1"), "MinValue must be less than MaxValue"),
    "one value only": (continuous("x", "1", "1"), "MinValue must be less than MaxValue"),
    "words": (continuous("x", "low", "1"), "MinValue and MaxValue must be numbers"),
    "not a number": (continuous("x", "nan", "1"), "MinValue and MaxValue must be numbers"),
    "without end": (continuous("x", "0", "inf"), "MinValue and MaxValue must be numbers"),
    "logarithmic from zero": (
        continuous("x", "0", "1", "Logarithmic"),
        "Logarithmic scaling works only for ranges that have values greater than 0",
    ),
    "reverse logarithmic to one": (
        continuous("x", "0", "1", "ReverseLogarithmic"),
        "ReverseLogarithmic scaling works only for ranges that are entirely within the range 0<=x<1.0",
    ),
    "reverse logarithmic from below zero": (continuous("x", "-1", "0.5", "ReverseLogarithmic"), "0<=x<1.0"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_continuous_range_names_what_is_wrong_with_it(case):
    each, why = CASES[case]
    message = refused(request(ranges([each])))
    assert message.startswith(f"Invalid range for the hyperparameter [x] with MinValue [{each['MinValue']}]")
    assert message.endswith(f"{why}.")


def test_an_integer_range_has_integers():
    assert "must be integers" in refused(request(ranges([], [integer("n", "1.5", "3")])))
    assert "must be integers" in refused(request(ranges([], [integer("n", "1", "1" + 30 * "0")])))
    assert "greater than 0" in refused(request(ranges([], [integer("n", "0", "3", "Logarithmic")])))
    assert "supported only for continuous" in refused(
        request(ranges([], [integer("n", "0", "3", "ReverseLogarithmic")]))
    )


def test_names_and_values_are_there_once():
    assert "[x]" in refused(request(ranges([continuous()], [integer("x", "1", "3")])))
    assert "specified both as static" in refused(request(static={"x": "1"}))
    assert refused(request(ranges([], [], [categorical("c", "a", "b", "a")]))) == (
        "Duplicate values found for the hyperparameter [c]: [a]."
    )


def test_there_are_some_ranges_and_not_too_many():
    assert "At least one" in refused(request(ranges()))
    assert "[31]" in refused(request(ranges([continuous(f"x{n}") for n in range(31)])))
    assert "[101]" in refused(request(static={f"s{n}": "1" for n in range(100)}))
    assert "Autotune" in refused(request({"AutoParameters": [{"Name": "x", "ValueHint": "1"}]}))


def test_too_few_combinations_for_the_jobs():
    assert refused(request(ranges([], [integer("n", "1", "3")]), jobs=10)) == (
        "You don't have enough combinations of hyperparameter ranges. The total number of hyperparameter combinations "
        "for the provided ranges [3.0] must be equal or greater than the value of MaxNumberOfJobs, [10]. Provide "
        "additional ranges."
    )


def test_an_end_is_in_sight():
    assert "MaxNumberOfTrainingJobs" in refused(request(jobs=None))
    checked.check(request(jobs=None, limits={"MaxRuntimeInSeconds": 600}))


@pytest.mark.parametrize("target", [float("nan"), float("inf"), float("-inf")], ids=str)
def test_a_target_can_be_reached(target):
    spec = request(TuningJobCompletionCriteria={"TargetObjectiveMetricValue": target})
    assert refused(spec) == f"TargetObjectiveMetricValue [{target}] must be a finite number."


def test_a_grid_is_categorical_and_whole():
    assert (
        refused(request(strategy="Grid")) == "Only categorical parameters are supported when using the Grid strategy."
    )
    assert "[9]" in refused(request(ranges([], [], [categorical("a"), categorical("b")]), "Grid", jobs=5))
    huge = ranges([], [], [categorical(f"c{n}", *map(str, range(30))) for n in range(30)])
    assert "for the Grid strategy" in refused(request(huge, "Grid", jobs=None))


def test_hyperband_stops_by_itself_and_knows_how_long_jobs_are():
    early = refused(request(strategy="Hyperband", TrainingJobEarlyStoppingType="Auto", **BRACKETS))
    assert early == "TrainingJobEarlyStoppingType must be OFF to use Hyperband."
    assert "could not be inferred" in refused(request(strategy="Hyperband"))
    checked.check(request(strategy="Hyperband", static={"epochs": "30"}))
    checked.check(request(strategy="Hyperband", static={"n-epochs": '"30"'}))
    least = {"StrategyConfig": {"HyperbandStrategyConfig": {"MinResource": 9, "MaxResource": 9}}}
    assert "must be less than MaxResource" in refused(request(strategy="Hyperband", **least))
    most = {"StrategyConfig": {"HyperbandStrategyConfig": {"MaxResource": 20_001}}}
    assert "[20000]" in refused(request(strategy="Hyperband", **most))
    assert "only when Hyperband" in refused(request(**BRACKETS))


def test_an_objective_is_needed():
    spec = request()
    del spec["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
    assert "HyperParameterTuningJobObjective is required" in refused(spec)


def test_several_definitions_go_together():
    spaces = ranges([continuous()]), ranges([continuous("y")])
    assert "only when tuning a single algorithm" in refused(several(*spaces, TrainingJobEarlyStoppingType="Auto"))
    warm = {"WarmStartConfig": {"WarmStartType": "TransferLearning", "ParentHyperParameterTuningJobs": []}}
    assert "only when tuning a single algorithm" in refused(several(*spaces, more=warm))
    unlike = several(*spaces)
    unlike["TrainingJobDefinitions"][0]["TuningObjective"]["Type"] = "Maximize"
    assert "objective type must be the same" in refused(unlike)
    twice = several(*spaces)
    twice["TrainingJobDefinitions"][1]["DefinitionName"] = "d0"
    assert "unique DefinitionName" in refused(twice)
    assert "either TrainingJobDefinition or TrainingJobDefinitions" in refused(
        {**several(*spaces), "TrainingJobDefinition": {"x": 1}}
    )
