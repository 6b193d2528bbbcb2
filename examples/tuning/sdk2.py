"""House prices: the hyperparameters of built-in XGBoost tuned by the SageMaker Python SDK 2.

Run it after `eval "$(clary env)"`.
"""

import os
import tempfile

import numpy as np
import pandas as pd
import sagemaker
from sagemaker.deserializers import CSVDeserializer
from sagemaker.inputs import TrainingInput
from sagemaker.serializers import CSVSerializer
from sagemaker.tuner import ContinuousParameter, HyperparameterTuner, IntegerParameter

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, os.pardir, "boston_housing", "boston_housing.csv")
PREFIX = "tuning-sdk2"
RANGES = {
    "eta": ContinuousParameter(0.03, 0.5, scaling_type="Logarithmic"),
    "max_depth": IntegerParameter(2, 9),
    "min_child_weight": ContinuousParameter(1, 10),
    "subsample": ContinuousParameter(0.5, 1),
}


def houses():
    """The target first, as built-in algorithms have it; train, validation, test."""
    table = pd.read_csv(DATA).sample(frac=1, random_state=0)
    table = table[["medv", *table.columns.drop("medv")]]
    return table.iloc[:340], table.iloc[340:420], table.iloc[420:]


def upload(session, table, name):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, name)
        table.to_csv(path, header=False, index=False)
        return session.upload_data(path, key_prefix=PREFIX)


def error(prices, table):
    return float(np.sqrt(np.mean((np.array(prices, dtype=float).ravel() - table["medv"].values) ** 2)))


def estimator(session, **hyperparameters):
    return sagemaker.estimator.Estimator(
        sagemaker.image_uris.retrieve("xgboost", session.boto_region_name, version="1.7-1"),
        sagemaker.get_execution_role(),
        instance_count=1,
        instance_type="ml.m5.large",
        output_path=f"s3://{session.default_bucket()}/{PREFIX}/output",
        sagemaker_session=session,
        hyperparameters={"objective": "reg:squarederror", "num_round": 100, **hyperparameters},
    )


def main():
    session = sagemaker.Session()
    train, validation, test = houses()
    channels = {
        "train": TrainingInput(upload(session, train, "train.csv"), content_type="csv"),
        "validation": TrainingInput(upload(session, validation, "validation.csv"), content_type="csv"),
    }

    tuner = HyperparameterTuner(
        estimator(session),
        "validation:rmse",
        RANGES,
        objective_type="Minimize",
        max_jobs=12,
        max_parallel_jobs=2,
        random_seed=1,
        base_tuning_job_name="houses",
    )
    tuner.fit(channels)
    name = tuner.latest_tuning_job.name
    print("jobs:", len(tuner.analytics().dataframe()))

    # What was tuned elsewhere, or yesterday: attach, look, and take the best.
    tuner = HyperparameterTuner.attach(name, sagemaker_session=session)
    table = tuner.analytics().dataframe().sort_values("FinalObjectiveValue")
    print(table[["max_depth", "eta", "FinalObjectiveValue"]].head(3).to_string(index=False))
    best = tuner.best_estimator()
    print("best:", best.latest_training_job.name, f"{table['FinalObjectiveValue'].min():.3f}")

    transformer = best.transformer(1, "ml.m5.large", strategy="MultiRecord", assemble_with="Line", accept="text/csv")
    asked = upload(session, test.drop(columns="medv"), "test.csv")
    transformer.transform(asked, content_type="text/csv", split_type="Line", logs=False)
    answers = session.read_s3_file(session.default_bucket(), transformer.output_path.split("/", 3)[3] + "/test.csv.out")
    print(f"root mean square error of the batch on {len(test)} houses: {error(answers.split(), test):.2f}")

    predictor = tuner.deploy(1, "ml.m5.large", serializer=CSVSerializer(), deserializer=CSVDeserializer())
    prices = predictor.predict(test.drop(columns="medv").values)
    print(f"root mean square error on {len(test)} houses: {error(prices, test):.2f}")
    predictor.delete_model()
    predictor.delete_endpoint()

    # A warm start: what was found is where the next search begins.
    child = tuner.identical_dataset_and_algorithm_tuner()
    child.max_jobs, child.base_tuning_job_name = 4, "houses-again"
    child.fit(channels)
    overall = child.describe()["OverallBestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
    print(f"best of both: {overall:.3f}")

    # Several algorithms, or one algorithm in several ways, in one tuning.
    trees, lines = estimator(session), estimator(session, booster="gblinear")
    both = HyperparameterTuner.create(
        estimator_dict={"trees": trees, "lines": lines},
        objective_metric_name_dict={"trees": "validation:rmse", "lines": "validation:rmse"},
        hyperparameter_ranges_dict={
            "trees": RANGES,
            "lines": {"lambda": ContinuousParameter(0.01, 10, scaling_type="Logarithmic")},
        },
        objective_type="Minimize",
        max_jobs=6,
        max_parallel_jobs=2,
        base_tuning_job_name="trees-or-lines",
    )
    both.fit({"trees": channels, "lines": channels}, include_cls_metadata={})
    tried = both.analytics().dataframe()["TrainingJobDefinitionName"].value_counts()
    winner = both.describe()["BestTrainingJob"]["TrainingJobDefinitionName"]
    print("tried:", dict(sorted(tried.items())), "- best:", winner)

    # One that takes too long.
    tuner = HyperparameterTuner(
        estimator(session),
        "validation:rmse",
        RANGES,
        objective_type="Minimize",
        max_jobs=500,
        max_parallel_jobs=2,
        base_tuning_job_name="too-long",
    )
    tuner.fit(channels, wait=False)
    tuner.stop_tuning_job()
    tuner.wait()
    print("stopped:", tuner.describe()["HyperParameterTuningJobStatus"])


if __name__ == "__main__":
    main()
