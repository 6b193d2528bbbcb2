"""Warm start: what may change, in AWS's words where users have posted them (aws/amazon-sagemaker-examples, issue 861;
aws/sagemaker-python-sdk, issue 3693), and what is learnt from parents."""

from __future__ import annotations

from statistics import fmean

import pytest

from clary.errors import ValidationError
from clary.tuning import warm_start
from clary.tuning.definitions import definitions
from clary.tuning.search import Search
from clary.tuning.trials import Trial
from tests.unit.tuning.requests import categorical, completed, continuous, integer, play, ranges, request

BASE = ranges([continuous("x")], [integer("n", "1", "9")])


def warm(kind="IdenticalDataAndAlgorithm", parameters=BASE, **given):
    parents = [{"HyperParameterTuningJobName": "parent"}]
    start = {"WarmStartConfig": {"WarmStartType": kind, "ParentHyperParameterTuningJobs": parents}}
    return request(parameters, more=start, **given)


def refused(spec, parent):
    with pytest.raises(ValidationError) as caught:
        warm_start.check(spec, [parent])
    return caught.value.message


def changed(spec, **members):
    return {**spec, "TrainingJobDefinition": {**spec["TrainingJobDefinition"], **members}}


def channel(uri):
    return [{"ChannelName": "train", "DataSource": {"S3DataSource": {"S3Uri": uri}}}]


def test_ranges_limits_and_a_few_static_values_may_change():
    parent = request(BASE, static={"a": "1", "sagemaker_submit_directory": "s3://one"})
    wider = ranges([continuous("x", "0", "9", "Linear")], [integer("n", "1", "99")])
    warm_start.check(
        warm(parameters=wider, jobs=500, static={"a": "2", "sagemaker_submit_directory": "s3://b"}), [parent]
    )
    now_tuned = ranges([continuous("x"), continuous("a")], [integer("n", "1", "9")])
    warm_start.check(warm(parameters=now_tuned), [parent])
    now_static = ranges([continuous("x")])
    warm_start.check(warm(parameters=now_static, static={"n": "3", "a": "1"}), [parent])


def test_names_stay_the_same_all_together():
    assert refused(warm(static={"more": "1"}), request(BASE)) == (
        "The set of tunable plus static HyperParameter names is not the same across current and parent tuning jobs. "
        "Please ensure this set is constant when warm starting. Note that previously static HyperParameters can be "
        "tuned in warm start jobs and vice versa."
    )


def test_kinds_and_objectives_stay():
    turned = ranges([], [integer("x", "0", "1"), integer("n", "1", "9")])
    assert "type of the hyperparameters [x] must not change" in refused(warm(parameters=turned), request(BASE))
    assert "objective metric" in refused(warm(aim="Maximize"), request(BASE))


def test_ten_changes_of_static_values_are_enough():
    before, after = ({f"s{n}": value for n in range(6)} for value in "12")
    assert "[12] cannot be more than [10]" in refused(warm(static=after), request(BASE, static=before))


def test_identical_data_and_algorithm_are_identical():
    parent = changed(request(BASE), InputDataConfig=channel("s3://bucket/one"))
    other_data = changed(warm(), InputDataConfig=channel("s3://bucket/two"))
    message = refused(other_data, parent)
    assert message.startswith(
        "Only the following fields in TrainingJobDefinition are allowed to change: [outputDataConfig,"
    )
    other_image = changed(warm(), AlgorithmSpecification={"TrainingImage": "other", "TrainingInputMode": "File"})
    assert "Only the following fields" in refused(other_image, request(BASE))
    other_mode = {**request()["TrainingJobDefinition"]["AlgorithmSpecification"], "TrainingInputMode": "Pipe"}
    warm_start.check(changed(warm(), AlgorithmSpecification=other_mode), [request(BASE)])


def test_transfer_learning_takes_other_data_and_no_other_environment():
    other = changed(warm("TransferLearning"), InputDataConfig=channel("s3://bucket/two"))
    warm_start.check(other, [changed(request(BASE), InputDataConfig=channel("s3://bucket/one"))])
    assert refused(changed(warm("TransferLearning"), Environment={"A": "1"}), request(BASE)) == (
        "Only the following fields in TrainingJobDefinition are allowed to change: [algorithmSpecification, "
        "inputDataConfig, outputDataConfig, staticHyperParameters, roleArn, resourceConfig, stoppingCondition, "
        "vpcConfig, enableManagedSpotTraining, checkpointConfig]."
    )


def job(values):
    return (float(values["x"]) - 0.3) ** 2 + 0.01 * (int(values["n"]) - 4) ** 2


@pytest.mark.parametrize("kind", ["IdenticalDataAndAlgorithm", "TransferLearning"])
def test_a_warm_start_begins_where_its_parents_were_good(kind):
    parents = play(request(BASE, jobs=30), job)
    cold = fmean(job(trial.values) for trial in play(request(BASE, jobs=8, seed=5), job))
    started = Search(warm(kind, jobs=8, seed=5), parents)
    trials = []
    while started.ended(trials, 0) is None:
        [proposal] = started.propose(trials, 1)
        moved = job(proposal.values) * 100 + 7  # the new data's losses are larger
        trials.append(Trial(len(trials), "", proposal.values, "completed", moved))
    assert fmean(job(trial.values) for trial in trials) < cold * 0.7


def test_what_was_static_is_learnt_from_and_what_lies_outside_is_not():
    parents = [completed(n, 1.0, {"x": "0.5", "n": "4", "more": "a"}) for n in range(20)]
    outside = [completed(n, 1.0, {"x": "7", "n": "4"}) for n in range(20)]
    missing = [completed(n, 1.0, {"x": "0.5"}) for n in range(20)]
    fresh = Search(warm()).propose([], 3)
    assert Search(warm(), outside + missing).propose([], 3) == fresh
    assert Search(warm(), parents).propose([], 3) != fresh


def test_objectives_of_other_data_keep_their_order():
    [definition] = definitions(request(BASE))
    parents = [completed(n, float(n)) for n in range(5)] + [completed(5, None)]
    found = [completed(0, 100.0), completed(1, 300.0), completed(2, 200.0)]
    moved = [trial.objective for trial in warm_start.transferred(definition, found, parents)]
    assert moved == [100.0, 100.0, 200.0, 300.0, 300.0, None]
    assert warm_start.transferred(definition, [], parents) == parents


def test_random_search_has_nothing_to_learn():
    assert Search(warm(strategy="Random"), [completed(0, 1.0, {"x": "0.5", "n": "4"})]).propose([], 2) == Search(
        request(BASE, "Random")
    ).propose([], 2)
    assert categorical("c")["Values"]
