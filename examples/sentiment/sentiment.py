"""Are these reviews of films good or bad? An LSTM in PyTorch, trained by a script, served by one's own `predict.py`.

By the SageMaker Python SDK 2. Data: a part of the Large Movie Review Dataset (Maas et al. 2011). Run it after
`eval "$(clary env)"`.
"""

import os
import tempfile

import reviews
import sagemaker
from sagemaker.deserializers import StringDeserializer
from sagemaker.predictor import Predictor
from sagemaker.pytorch import PyTorch, PyTorchModel
from sagemaker.serializers import IdentitySerializer

HERE = os.path.dirname(os.path.abspath(__file__))
TRAIN, SERVE = os.path.join(HERE, "train"), os.path.join(HERE, "serve")


class ReviewPredictor(Predictor):
    """Asks with a review as it is, and reads a word."""

    def __init__(self, endpoint_name, sagemaker_session=None, **kwargs):
        super().__init__(
            endpoint_name, sagemaker_session, IdentitySerializer("text/plain"), StringDeserializer(accept="text/plain")
        )


def main():
    session, role = sagemaker.Session(), sagemaker.get_execution_role()
    trained, others = reviews.read()
    with tempfile.TemporaryDirectory() as folder:
        reviews.write(trained, folder)
        data = session.upload_data(folder, key_prefix="sentiment/data")

    estimator = PyTorch(
        entry_point="train.py",
        source_dir=TRAIN,
        role=role,
        framework_version="2.6.0",
        py_version="py312",
        instance_count=1,
        instance_type="ml.m5.large",
        hyperparameters={"epochs": 12, "hidden_dim": 32},
        metric_definitions=[{"Name": "loss", "Regex": "BCELoss: ([0-9.]+)"}],
    )
    estimator.fit({"training": data})

    model = PyTorchModel(
        model_data=estimator.model_data,
        role=role,
        framework_version="2.6.0",
        py_version="py312",
        entry_point="predict.py",
        source_dir=SERVE,
        dependencies=[os.path.join(TRAIN, "model.py"), os.path.join(TRAIN, "words.py")],
        predictor_cls=ReviewPredictor,
    )
    predictor = model.deploy(initial_instance_count=1, instance_type="ml.m5.large")
    reviews.judge(predictor.predict, others)
    predictor.delete_model()
    predictor.delete_endpoint()


if __name__ == "__main__":
    main()
