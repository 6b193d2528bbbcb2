"""SDK 1: every serializer and deserializer against a model that answers what it was asked; its endpoint is updated, its
requests are captured, and it is one of many."""

import os
import tempfile
import time

import numpy as np
import sagemaker
from botocore.exceptions import ClientError
from sagemaker import predictor as formats
from sagemaker.amazon.amazon_estimator import get_image_uri
from sagemaker.model_monitor import DataCaptureConfig
from sagemaker.multidatamodel import MultiDataModel
from sagemaker.sklearn.estimator import SKLearn

SCRIPT = """
import os
def model_fn(model_dir): return 1
def predict_fn(data, model): return data
if __name__ == "__main__": open(os.path.join(os.environ["SM_MODEL_DIR"], "model"), "w").close()
"""
session = sagemaker.Session()
role = sagemaker.get_execution_role()
with tempfile.TemporaryDirectory() as folder:
    with open(os.path.join(folder, "echo.py"), "w") as file:
        file.write(SCRIPT)
    echo = SKLearn(
        "echo.py",
        source_dir=folder,
        framework_version="0.23-1",
        role=role,
        train_instance_count=1,
        train_instance_type="ml.m5.large",
        sagemaker_session=session,
    )
    echo.fit(logs=False)
    name = "echo-%d" % time.time()
    asked = echo.deploy(1, "ml.m5.large", endpoint_name=name)

table = np.array([[1.5, 2.0], [3.0, 4.0]])
assert np.array_equal(asked.predict(table), table), "npy both ways is SKLearnPredictor's own"


def predictor(content_type, serializer, accept, deserializer):
    return formats.RealTimePredictor(
        name, session, content_type=content_type, serializer=serializer, accept=accept, deserializer=deserializer
    )


csv = predictor("text/csv", formats.csv_serializer, "text/csv", formats.csv_deserializer).predict(table)
assert [[float(cell) for cell in row] for row in csv] == table.tolist(), csv
as_json = predictor("application/json", formats.json_serializer, "application/json", formats.json_deserializer)
assert as_json.predict(table.tolist()) == table.tolist()
npy = predictor("application/x-npy", formats.npy_serializer, "application/x-npy", formats.numpy_deserializer)
assert np.array_equal(npy.predict(table), table)
as_text = predictor("text/csv", formats.csv_serializer, "text/csv", formats.StringDeserializer())
assert as_text.predict(table).split()[0].startswith("1.5"), as_text.predict(table)
as_bytes = predictor("text/csv", formats.csv_serializer, "text/csv", formats.BytesDeserializer())
assert as_bytes.predict(table).startswith(b"1.5")
asked.enable_data_capture()
captured = session.sagemaker_client.describe_endpoint(EndpointName=name)["DataCaptureConfig"]
assert (captured["CaptureStatus"], captured["CurrentSamplingPercentage"]) == ("Started", 20), captured
assert np.array_equal(asked.predict(table), table), "the endpoint answers while it captures"
capture = DataCaptureConfig(True, sampling_percentage=50, destination_s3_uri="s3://%s/kept" % session.default_bucket())
asked = echo.deploy(2, "ml.m5.large", endpoint_name=name, update_endpoint=True, data_capture_config=capture)
while (updated := session.sagemaker_client.describe_endpoint(EndpointName=name))["EndpointStatus"] != "InService":
    time.sleep(0.2)
assert updated["ProductionVariants"][0]["CurrentInstanceCount"] == 2, updated
assert updated["DataCaptureConfig"]["CurrentSamplingPercentage"] == 50, updated
assert np.array_equal(asked.predict(table), table), "the updated endpoint answers"
asked.delete_endpoint()

many = MultiDataModel(
    name="echoes-%d" % time.time(),
    model_data_prefix="s3://%s/echoes/" % session.default_bucket(),
    model=echo.create_model(),
    sagemaker_session=session,
)
asked_of_many = many.deploy(1, "ml.m5.large")
many.add_model(echo.model_data, "echo.tar.gz")
assert list(many.list_models()) == ["echo.tar.gz"], list(many.list_models())
assert np.array_equal(asked_of_many.predict(table, target_model="echo.tar.gz"), table)
asked_of_many.delete_endpoint()

image = get_image_uri(session.boto_region_name, "xgboost", "1.0-1")
many = MultiDataModel(
    name="many-%d" % time.time(),
    model_data_prefix="s3://%s/models/" % session.default_bucket(),
    image=image,
    role=role,
    predictor_cls=formats.RealTimePredictor,
    sagemaker_session=session,
)
asked_of_many = many.deploy(1, "ml.m5.large")
assert list(many.list_models()) == [], "the prefix is empty until models are added"
try:
    asked_of_many.predict("1,2", target_model="nothing.tar.gz")
except ClientError as error:
    assert "Failed to download model data" in str(error), error
else:
    raise AssertionError("there is no such model")
asked_of_many.delete_endpoint()
print("all serializers")
