"""SDK 1: k-means and PCA by their estimators; records in, records out."""

import numpy as np
import sagemaker

role = sagemaker.get_execution_role()
draw = np.random.RandomState(0)
corners = np.array([[0, 0, 0], [10, 0, 5], [0, 10, 5]], dtype="float32")
rows = np.repeat(corners, 100, axis=0) + draw.normal(0, 0.3, (300, 3)).astype("float32")


def values(records, name):
    return np.array([record.label[name].float32_tensor.values for record in records])


kmeans = sagemaker.KMeans(role, 1, "ml.m5.large", k=3, init_method="kmeans++", eval_metrics=["msd", "ssd"])
kmeans.fit([kmeans.record_set(rows), kmeans.record_set(rows, channel="test")], logs=False)
metrics = kmeans.sagemaker_session.sagemaker_client.describe_training_job(
    TrainingJobName=kmeans.latest_training_job.name
)["FinalMetricDataList"]
print({metric["MetricName"]: round(metric["Value"], 3) for metric in metrics})
predictor = kmeans.deploy(1, "ml.m5.large")
found = predictor.predict(rows)
groups = values(found, "closest_cluster").reshape(3, 100)
assert [len(set(group)) for group in groups] == [1, 1, 1], groups
assert len(set(groups[:, 0])) == 3
assert values(found, "distance_to_cluster").max() < 2
predictor.delete_model()
predictor.delete_endpoint()

pca = sagemaker.PCA(role, 1, "ml.m5.large", num_components=2, algorithm_mode="randomized", subtract_mean=True)
pca.fit(pca.record_set(rows), logs=False)
predictor = pca.deploy(1, "ml.m5.large")
found = values(predictor.predict(rows), "projection")
predictor.delete_model()
predictor.delete_endpoint()
near, far = found.std(axis=0)
centered = np.linalg.svd(rows - rows.mean(axis=0), compute_uv=False) / np.sqrt(len(rows))
assert np.allclose([far, near], centered[:2], rtol=1e-2), (far, near, centered)
print("records in, records out")
