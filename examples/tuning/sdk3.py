"""House prices: the hyperparameters of built-in XGBoost tuned by the SageMaker Python SDK 3.

Run it after `eval "$(clary env)"`.
"""

import os
import tempfile

import numpy as np
import pandas as pd
from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session, get_execution_role
from sagemaker.core.parameter import ContinuousParameter, IntegerParameter
from sagemaker.core.resources import HyperParameterTuningJob, TrainingJob
from sagemaker.serve.model_builder import ModelBuilder
from sagemaker.train.configs import Compute, InputData, OutputDataConfig
from sagemaker.train.model_trainer import ModelTrainer
from sagemaker.train.tuner import HyperparameterTuner

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, os.pardir, "boston_housing", "boston_housing.csv")
PREFIX = "tuning-sdk3"


def upload(session, table, channel):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, f"{channel}.csv")
        table[["medv", *table.columns.drop("medv")]].to_csv(path, header=False, index=False)
        location = session.upload_data(path, session.default_bucket(), PREFIX)
    return InputData(channel_name=channel, data_source=location, content_type="csv")


def main():
    session, role = Session(), get_execution_role()
    image = image_uris.retrieve("xgboost", session.boto_region_name, version="1.7-1")
    houses = pd.read_csv(DATA).sample(frac=1, random_state=0)
    train, validation, test = houses.iloc[:340], houses.iloc[340:420], houses.iloc[420:]

    trainer = ModelTrainer(
        training_image=image,
        compute=Compute(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=10),
        hyperparameters={"objective": "reg:squarederror", "num_round": 60},
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{session.default_bucket()}/{PREFIX}/output"),
        base_job_name="houses",
        sagemaker_session=session,
        role=role,
    )
    tuner = HyperparameterTuner(
        trainer,
        "validation:rmse",
        {"eta": ContinuousParameter(0.05, 0.5), "max_depth": IntegerParameter(2, 9)},
        objective_type="Minimize",
        max_jobs=6,
        max_parallel_jobs=2,
        base_tuning_job_name="houses-sdk3",
    )
    tuner.tune([upload(session, train, "train"), upload(session, validation, "validation")])
    print("jobs:", len(tuner.analytics().dataframe()))

    # What was tuned elsewhere, or yesterday: the resources of sagemaker.core.
    found = HyperParameterTuningJob.get(tuner.latest_tuning_job.hyper_parameter_tuning_job_name)
    best = found.best_training_job
    print("best:", best.training_job_name, best.final_hyper_parameter_tuning_job_objective_metric.value)
    artifacts = TrainingJob.get(best.training_job_name).model_artifacts.s3_model_artifacts

    builder = ModelBuilder(
        s3_model_data_url=artifacts,
        image_uri=image,
        role_arn=role,
        instance_type="ml.m5.large",
        sagemaker_session=session,
    )
    builder.build(model_name="houses-tuned")
    endpoint = builder.deploy(endpoint_name="houses-tuned", initial_instance_count=1, instance_type="ml.m5.large")
    rows = test.drop(columns="medv").to_csv(header=False, index=False)
    answer = endpoint.invoke(body=rows, content_type="text/csv", accept="text/csv")
    prices = np.array(answer.body.read().decode().replace("\n", ",").strip(",").split(","), dtype=float)
    error = float(np.sqrt(np.mean((prices - test["medv"].values) ** 2)))
    print(f"root mean square error on {len(test)} houses: {error:.2f}")
    endpoint.delete()


if __name__ == "__main__":
    main()
