"""What the tuner of SDK 2 can be told besides: Autotune, Hyperband, criteria to end by, a grid, transfer learning."""

import sagemaker
from boston import estimator, train_input, upload
from sagemaker.inputs import TrainingInput
from sagemaker.tuner import (
    CategoricalParameter,
    ContinuousParameter,
    HyperbandStrategyConfig,
    HyperparameterTuner,
    IntegerParameter,
    StrategyConfig,
    TuningJobCompletionCriteriaConfig,
)

RANGES = {"eta": ContinuousParameter(0.05, 0.5), "max_depth": IntegerParameter(2, 8)}
COMMON = {"objective_type": "Minimize", "max_parallel_jobs": 2, "random_seed": 1}


def tuned(name, session, channels, ranges, **options):
    tuner = HyperparameterTuner(
        estimator(session), "validation:rmse", ranges, base_tuning_job_name=name, **{**COMMON, **options}
    )
    tuner.fit(channels)
    return tuner


def told(name, tuner):
    described = tuner.describe()
    counted = described["TrainingJobStatusCounters"]
    print(name, described["HyperParameterTuningJobStatus"], counted["Completed"], counted["Stopped"])


def main():
    session = sagemaker.Session()
    uri = upload(session)
    channels = {**train_input(uri), "validation": TrainingInput(uri, content_type="csv")}

    told("autotune", tuned("auto", session, channels, None, autotune=True, max_jobs=3))
    hyperband = StrategyConfig(hyperband_strategy_config=HyperbandStrategyConfig(min_resource=2, max_resource=20))
    told(
        "hyperband",
        tuned("band", session, channels, RANGES, strategy="Hyperband", strategy_config=hyperband, max_jobs=4),
    )
    criteria = TuningJobCompletionCriteriaConfig(target_objective_metric_value=50.0)
    target = tuned("target", session, channels, RANGES, completion_criteria_config=criteria, max_jobs=40)
    told("target", target)
    depths = {"max_depth": CategoricalParameter(["2", "4", "6"])}
    told("grid", tuned("grid", session, channels, depths, strategy="Grid", max_jobs=3))
    child = target.transfer_learning_tuner(estimator=estimator(session, num_round="30"))
    child.max_jobs, child.base_tuning_job_name, child.completion_criteria_config = 2, "transfer", None
    child.fit(channels)
    told("transfer", child)
    attached = HyperparameterTuner.attach(child.latest_tuning_job.name, sagemaker_session=session)
    print("parents", attached.warm_start_config.parents == {target.latest_tuning_job.name})


if __name__ == "__main__":
    main()
