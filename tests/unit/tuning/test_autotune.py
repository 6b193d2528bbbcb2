"""Autotune: what a request leaves open."""

from __future__ import annotations

from clary.tuning import ranges as checked
from clary.tuning.autotune import settled
from clary.tuning.definitions import definitions
from clary.tuning.recommended import ALGORITHMS, parameter_ranges, recommended
from clary.tuning.search import Search
from tests.unit.tuning.requests import XGBOOST, continuous, ranges, request

OWN = "000000000000.dkr.ecr.us-east-1.amazonaws.com/own:1"


def automatic(image=XGBOOST, static=None, parameters=None, strategy="Bayesian", jobs=None, **hints):
    auto = [{"Name": name, "ValueHint": hint} for name, hint in hints.items()]
    given = {**(parameters or {}), **({"AutoParameters": auto} if auto else {})}
    spec = request(given, strategy, jobs=jobs, static=static, more={"Autotune": {"Mode": "Enabled"}})
    spec["HyperParameterTuningJobConfig"]["ParameterRanges"] = given
    spec["TrainingJobDefinition"]["AlgorithmSpecification"]["TrainingImage"] = image
    return spec


def tuned(spec):
    """Ranges by name."""
    kinds = settled(spec)["HyperParameterTuningJobConfig"]["ParameterRanges"].values()
    return {each["Name"]: each for kind in kinds for each in kind}


def test_a_request_without_it_stays_as_it_is():
    assert settled(request()) == request()


def test_a_built_in_algorithm_gets_the_ranges_that_its_page_recommends():
    found = tuned(automatic(eta="0.3", max_depth="6"))
    assert set(found) == {"eta", "max_depth"}
    assert (found["eta"]["MinValue"], found["eta"]["MaxValue"]) == ("0.1", "0.5")
    assert (found["max_depth"]["MinValue"], found["max_depth"]["MaxValue"]) == ("0", "10")


def test_what_the_page_does_not_name_stays_as_it_is():
    spec = settled(automatic(static={"seed": "1"}, eta="0.3", objective="reg:squarederror"))
    assert spec["TrainingJobDefinition"]["StaticHyperParameters"] == {"seed": "1", "objective": "reg:squarederror"}


def test_without_any_range_all_of_the_page_are_tuned_but_static_ones():
    found = tuned(automatic(static={"num_round": "50"}))
    assert found.keys() == ALGORITHMS["xgboost"].keys() - {"num_round"}


def test_ranges_that_were_given_stay():
    found = tuned(automatic(parameters=ranges([continuous("eta", "0.01", "0.02")]), gamma="1"))
    assert found["eta"]["MaxValue"] == "0.02"
    assert found["gamma"]["MaxValue"] == "5"


SCRIPT = {
    "sagemaker_program": '"train.py"',
    "sagemaker_submit_directory": '"s3://bucket/source.tar.gz"',
    "sagemaker_container_log_level": "20",
    "lr": "0.01",
    "batch-size": '"64"',
    "momentum": "0.9",
    "max_depth": "1",
    "gamma": "3.5",
    "dropout": "0",
    "alpha": '"auto"',
    "num_classes": "10",
    "epochs": "5",
}
"""As SDK 2 sends all hyperparameters of a script, save those that are said to be kept static."""


def test_of_a_programs_hyperparameters_what_is_called_as_the_field_calls_it_is_tuned():
    found = tuned(automatic(OWN, **SCRIPT))
    ends = {name: (each["MinValue"], each["MaxValue"]) for name, each in found.items()}
    assert ends == {
        "lr": ("0.001", "0.1"),
        "batch-size": ("6", "640"),
        "momentum": ("0.09", "0.99"),
        "max_depth": ("1", "10"),
        "gamma": ("0.35", "35.0"),
    }
    static = settled(automatic(OWN, **SCRIPT))["TrainingJobDefinition"]["StaticHyperParameters"]
    assert static == {name: value for name, value in SCRIPT.items() if name not in ends}


def test_where_no_name_is_known_numbers_are_tuned():
    hints = {"sagemaker_container_log_level": "20", "blending": "0.5", "neighbours": "3", "mode": '"fast"'}
    spec = automatic(OWN, **hints)
    assert tuned(spec).keys() == {"blending", "neighbours"}
    checked.check(settled(spec))
    given = automatic(OWN, parameters=ranges([continuous("blending")]), neighbours="3")
    assert tuned(given).keys() == {"blending"}


def test_limits_and_criteria_are_chosen_where_they_are_open():
    config = settled(automatic(eta="0.3"))["HyperParameterTuningJobConfig"]
    assert config["ResourceLimits"] == {"MaxNumberOfTrainingJobs": 20, "MaxParallelTrainingJobs": 2}
    assert config["TrainingJobEarlyStoppingType"] == "Auto"
    assert config["TuningJobCompletionCriteria"]["ConvergenceDetected"] == {"CompleteOnConvergence": "Enabled"}
    assert (
        settled(automatic(jobs=7, eta="0.3"))["HyperParameterTuningJobConfig"]["ResourceLimits"][
            "MaxNumberOfTrainingJobs"
        ]
        == 7
    )
    hyperband = settled(automatic(strategy="Hyperband", eta="0.3"))["HyperParameterTuningJobConfig"]
    assert hyperband["TrainingJobEarlyStoppingType"] == "Off"


def test_settling_twice_is_settling_once():
    for spec in (automatic(eta="0.3", objective="x"), automatic(), automatic(OWN, lr="0.1", name="a")):
        once = settled(spec)
        assert settled(once) == once
        checked.check(once)


def test_a_definition_of_several_keeps_its_ranges_to_itself():
    spec = automatic(eta="0.3")
    one = spec.pop("TrainingJobDefinition")
    aim = spec["HyperParameterTuningJobConfig"].pop("HyperParameterTuningJobObjective")
    auto = spec["HyperParameterTuningJobConfig"].pop("ParameterRanges")
    own = {"TuningObjective": aim, "HyperParameterRanges": auto}
    spec["TrainingJobDefinitions"] = [{**one, **own, "DefinitionName": name} for name in ("a", "b")]
    found = settled(spec)
    assert settled(found) == found
    checked.check(found)
    assert [definition.space.parameters[0].name for definition in definitions(found)] == ["eta", "eta"]
    assert found["HyperParameterTuningJobConfig"]["TrainingJobEarlyStoppingType"] == "Off"


def test_a_search_takes_the_request_as_it_was_sent():
    [proposal] = Search(automatic(eta="0.3")).propose([], 1)
    assert 0.1 <= float(proposal.values["eta"]) <= 0.5


def test_the_recommended_ranges_make_sense():
    for algorithm in filter(None, ALGORITHMS.values()):
        checked.check(request(parameter_ranges(algorithm.items()), jobs=2))


def test_an_image_is_known_by_its_repository():
    assert recommended("000000000000.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1")
    assert recommended(f"{XGBOOST}-cpu-py3")
    assert recommended(OWN) is None
