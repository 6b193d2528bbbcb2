"""SDK 2: every serializer and deserializer against a model that answers what it was asked."""

import os
import tempfile

import numpy as np
import pandas as pd
import sagemaker
from sagemaker import deserializers, serializers
from sagemaker.predictor import Predictor
from sagemaker.sklearn import SKLearn

SCRIPT = """
import os
def model_fn(model_dir): return 1
def predict_fn(data, model): return data
if __name__ == "__main__": open(os.path.join(os.environ["SM_MODEL_DIR"], "model"), "w").close()
"""
session = sagemaker.Session()
with tempfile.TemporaryDirectory() as folder:
    with open(os.path.join(folder, "echo.py"), "w") as file:
        file.write(SCRIPT)
    echo = SKLearn("echo.py", source_dir=folder, framework_version="1.2-1", role=sagemaker.get_execution_role(),
                   instance_count=1, instance_type="ml.m5.large", sagemaker_session=session)  # fmt: skip
    echo.fit(logs=False)
    predictor = echo.deploy(1, "ml.m5.large")

table = np.array([[1.5, 2.0], [3.0, 4.0]])
rows = table.tolist()


def ask(serializer, deserializer, data):
    return Predictor(predictor.endpoint_name, session, serializer, deserializer).predict(data)


json_in, npy_in, csv_in = serializers.JSONSerializer(), serializers.NumpySerializer(), serializers.CSVSerializer()
assert np.array_equal(ask(npy_in, deserializers.NumpyDeserializer(), table), table)
assert ask(json_in, deserializers.JSONDeserializer(), rows) == rows
answer = ask(csv_in, deserializers.CSVDeserializer(), table)
assert [[float(cell) for cell in row] for row in answer] == rows, answer
assert ask(csv_in, deserializers.StringDeserializer(accept="text/csv"), table).startswith("1.5,2.0")
assert ask(csv_in, deserializers.BytesDeserializer(accept="text/csv"), table).startswith(b"1.5,2.0")
assert ask(csv_in, deserializers.StreamDeserializer(accept="text/csv"), table)[0].read().startswith(b"1.5,2.0")
frame = ask(json_in, deserializers.PandasDeserializer(accept="application/json"), rows)
assert isinstance(frame, pd.DataFrame)
assert frame.values.tolist() == rows
ask(serializers.IdentitySerializer("text/csv"), deserializers.CSVDeserializer(), b"1.5,2.0\n3.0,4.0\n")
predictor.update_endpoint(initial_instance_count=2, instance_type="ml.m5.large", accelerator_type="ml.eia2.medium")
assert ask(json_in, deserializers.JSONDeserializer(), rows) == rows
[variant] = session.sagemaker_client.describe_endpoint(EndpointName=predictor.endpoint_name)["ProductionVariants"]
assert variant["CurrentInstanceCount"] == 2, variant
config = session.sagemaker_client.describe_endpoint(EndpointName=predictor.endpoint_name)["EndpointConfigName"]
[variant] = session.sagemaker_client.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
assert variant["AcceleratorType"] == "ml.eia2.medium", "it is kept, and served without"
predictor.delete_endpoint()
print("all serializers")
