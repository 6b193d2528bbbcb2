"""SDK 1: k-NN by an index of lists, and Random Cut Forest, by their estimators; records in, records out."""

import numpy as np
import sagemaker

role = sagemaker.get_execution_role()
draw = np.random.RandomState(0)
corners = np.array([[0, 0, 0], [10, 0, 5], [0, 10, 5]], dtype="float32")
rows = np.repeat(corners, 200, axis=0) + draw.normal(0, 0.3, (600, 3)).astype("float32")
labels = np.repeat([0, 1, 2], 200).astype("float32")


def values(records, name):
    return np.array([record.label[name].float32_tensor.values[0] for record in records])


knn = sagemaker.KNN(
    role, 1, "ml.m5.large", k=5, sample_size=400, predictor_type="classifier", index_type="faiss.IVFFlat"
)
knn.fit([knn.record_set(rows, labels), knn.record_set(rows, labels, channel="test")], logs=False)
metrics = knn.sagemaker_session.sagemaker_client.describe_training_job(TrainingJobName=knn.latest_training_job.name)
print({metric["MetricName"]: metric["Value"] for metric in metrics["FinalMetricDataList"]})
predictor = knn.deploy(1, "ml.m5.large")
assert (values(predictor.predict(rows[::50]), "predicted_label") == labels[::50]).all()
predictor.delete_model()
predictor.delete_endpoint()

forest = sagemaker.RandomCutForest(
    role, 1, "ml.m5.large", num_samples_per_tree=100, num_trees=50, eval_metrics=["accuracy"]
)
forest.fit(forest.record_set(rows), logs=False)
predictor = forest.deploy(1, "ml.m5.large", accelerator_type="ml.eia2.medium")
config = forest.sagemaker_session.sagemaker_client.describe_endpoint_config(EndpointConfigName=predictor.endpoint)
assert config["ProductionVariants"][0]["AcceleratorType"] == "ml.eia2.medium", "it is kept, and served without"
scores = values(predictor.predict(np.vstack([rows[:50], [[99, 99, 99]]]).astype("float32")), "score")
assert scores.argmax() == 50, scores
predictor.delete_model()
predictor.delete_endpoint()
print("neighbours and anomalies")
