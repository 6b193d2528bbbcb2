"""The same by the SageMaker Python SDK 1, with the PyTorch that the classic course project asks for: 0.4.0."""

import os
import tempfile

import reviews
import sagemaker
from sagemaker.predictor import RealTimePredictor
from sagemaker.pytorch import PyTorch, PyTorchModel

HERE = os.path.dirname(os.path.abspath(__file__))
TRAIN, SERVE = os.path.join(HERE, "train"), os.path.join(HERE, "serve")


class StringPredictor(RealTimePredictor):
    def __init__(self, endpoint_name, sagemaker_session):
        super(StringPredictor, self).__init__(endpoint_name, sagemaker_session, content_type="text/plain")


def main():
    session, role = sagemaker.Session(), sagemaker.get_execution_role()
    trained, others = reviews.read()
    with tempfile.TemporaryDirectory() as folder:
        reviews.write(trained, folder)
        data = session.upload_data(folder, key_prefix="sentiment-1/data")

    estimator = PyTorch(
        entry_point="train.py",
        source_dir=TRAIN,
        role=role,
        framework_version="0.4.0",
        train_instance_count=1,
        train_instance_type="ml.m5.large",
        hyperparameters={"epochs": 12, "hidden_dim": 32},
    )
    estimator.fit({"training": data})

    model = PyTorchModel(
        model_data=estimator.model_data,
        role=role,
        framework_version="0.4.0",
        entry_point="predict.py",
        source_dir=SERVE,
        dependencies=[os.path.join(TRAIN, "model.py"), os.path.join(TRAIN, "words.py")],
        predictor_cls=StringPredictor,
    )
    predictor = model.deploy(initial_instance_count=1, instance_type="ml.m5.large")
    reviews.judge(predictor.predict, others)
    predictor.delete_model()
    predictor.delete_endpoint()


if __name__ == "__main__":
    main()
