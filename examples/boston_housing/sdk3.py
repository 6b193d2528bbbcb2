"""House prices with SageMaker's built-in XGBoost, by the SageMaker Python SDK 3. Run it after `eval "$(clary env)"`."""

import os
import tempfile
import time

import numpy as np
import pandas as pd
from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session, get_execution_role
from sagemaker.core.resources import Endpoint, EndpointConfig, Model
from sagemaker.core.shapes import ContainerDefinition, ProductionVariant
from sagemaker.serve.model_builder import ModelBuilder
from sagemaker.train.configs import Compute, InputData, OutputDataConfig
from sagemaker.train.model_trainer import ModelTrainer

HERE = os.path.dirname(os.path.abspath(__file__))
PREFIX = "boston-housing-sdk3"


def upload(session, table, channel):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, f"{channel}.csv")
        table[["medv", *table.columns.drop("medv")]].to_csv(path, header=False, index=False)
        location = session.upload_data(path, session.default_bucket(), PREFIX)
    return InputData(channel_name=channel, data_source=location, content_type="csv")


def error(body, table):
    prices = np.array(body.decode().replace("\n", ",").strip(",").split(","), dtype=float)
    return float(np.sqrt(np.mean((prices - table["medv"].values) ** 2)))


def main():
    session, role = Session(), get_execution_role()
    image = image_uris.retrieve("xgboost", session.boto_region_name, version="1.7-1")
    houses = pd.read_csv(os.path.join(HERE, "boston_housing.csv")).sample(frac=1, random_state=0)
    train, validation, test = houses.iloc[:340], houses.iloc[340:420], houses.iloc[420:]
    rows = test.drop(columns="medv").to_csv(header=False, index=False)

    trainer = ModelTrainer(
        training_image=image,
        compute=Compute(instance_type="ml.m5.large", instance_count=1),
        hyperparameters={
            "objective": "reg:squarederror",
            "max_depth": 5,
            "eta": 0.2,
            "min_child_weight": 6,
            "num_round": 200,
        },
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{session.default_bucket()}/{PREFIX}/output"),
        base_job_name="boston-housing",
        sagemaker_session=session,
        role=role,
    )
    channels = [upload(session, train, "train"), upload(session, validation, "validation")]
    began = time.perf_counter()
    trainer.train(input_data_config=channels, logs=False)
    print(f"train() took {time.perf_counter() - began:.2f} s")
    artifacts = trainer._latest_training_job.model_artifacts.s3_model_artifacts

    # By the resources of sagemaker.core: a model, a configuration, an endpoint.
    container = ContainerDefinition(image=image, model_data_url=artifacts)
    model = Model.create(model_name="boston-sdk3", primary_container=container, execution_role_arn=role)
    variant = ProductionVariant(
        variant_name="all",
        model_name=model.model_name,
        initial_instance_count=1,
        instance_type="ml.m5.large",
        initial_variant_weight=1,
    )
    config = EndpointConfig.create(endpoint_config_name="boston-sdk3", production_variants=[variant])
    endpoint = Endpoint.create(endpoint_name="boston-sdk3", endpoint_config_name=config.endpoint_config_name)
    endpoint.wait_for_status("InService")
    answer = endpoint.invoke(body=rows, content_type="text/csv", accept="text/csv")
    print(f"root mean square error on {len(test)} houses: {error(answer.body.read(), test):.2f}")
    endpoint.delete()
    config.delete()
    model.delete()

    # The same by ModelBuilder.
    builder = ModelBuilder(
        s3_model_data_url=artifacts,
        image_uri=image,
        role_arn=role,
        instance_type="ml.m5.large",
        sagemaker_session=session,
    )
    builder.build(model_name="boston-built")
    began = time.perf_counter()
    endpoint = builder.deploy(endpoint_name="boston-built", initial_instance_count=1, instance_type="ml.m5.large")
    print(f"deploy() took {time.perf_counter() - began:.2f} s")
    answer = endpoint.invoke(body=rows, content_type="text/csv", accept="text/csv")
    print(f"root mean square error on {len(test)} houses: {error(answer.body.read(), test):.2f}")
    endpoint.delete()


if __name__ == "__main__":
    main()
