"""boto3 only: k-means from CSV, PCA from records, each trained, made a model, and asked by a batch transform."""

import io
import json
import time

import boto3
import numpy as np
import sagemaker
from sagemaker import image_uris
from sagemaker.amazon.common import RecordDeserializer, RecordSerializer

session = sagemaker.Session()
s3, client = boto3.client("s3"), boto3.client("sagemaker")
bucket, role, stamp = session.default_bucket(), sagemaker.get_execution_role(), int(time.time())
rows = (
    np.repeat(np.array([[0, 0], [10, 0], [0, 10]], dtype="float32"), 50, axis=0)
    + np.arange(300).reshape(150, 2) % 7 / 9
)
CSV, RECORDS = "text/csv", "application/x-recordio-protobuf"


def trained(name, content_type, data, parameters):
    """The name of a model of the algorithm `name`, trained from these bytes."""
    job = f"{name}-{stamp}"
    s3.put_object(Bucket=bucket, Key=f"{job}/rows", Body=data)
    image = image_uris.retrieve(name, session.boto_region_name)
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/{job}/", "S3DataDistributionType": "ShardedByS3Key"}
    client.create_training_job(
        TrainingJobName=job,
        RoleArn=role,
        AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"},
        InputDataConfig=[{"ChannelName": "train", "ContentType": content_type, "DataSource": {"S3DataSource": source}}],
        OutputDataConfig={"S3OutputPath": f"s3://{bucket}/output"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
        HyperParameters=parameters,
    )
    client.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=job, WaiterConfig={"Delay": 1})
    model = client.describe_training_job(TrainingJobName=job)["ModelArtifacts"]["S3ModelArtifacts"]
    client.create_model(ModelName=job, ExecutionRoleArn=role, PrimaryContainer={"Image": image, "ModelDataUrl": model})
    return job


def asked(model, content_type, accept, split, assemble):
    """What a batch transform of the training data answers."""
    client.create_transform_job(
        TransformJobName=model,
        ModelName=model,
        BatchStrategy="MultiRecord",
        TransformInput={
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/{model}/rows"}},
            "ContentType": content_type,
            "SplitType": split,
        },
        TransformOutput={"S3OutputPath": f"s3://{bucket}/asked/{model}", "Accept": accept, "AssembleWith": assemble},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    client.get_waiter("transform_job_completed_or_stopped").wait(TransformJobName=model, WaiterConfig={"Delay": 1})
    return s3.get_object(Bucket=bucket, Key=f"asked/{model}/rows.out")["Body"].read()


body = "".join("%f,%f\n" % tuple(row) for row in rows).encode()
kmeans = trained("kmeans", f"{CSV};label_size=0", body, {"k": "3", "feature_dim": "2"})
lines = [json.loads(line) for line in asked(kmeans, CSV, "application/jsonlines", "Line", "Line").splitlines()]
groups = np.array([line["closest_cluster"] for line in lines]).reshape(3, 50)
assert [len(set(group)) for group in groups] == [1, 1, 1]

given = {"num_components": "1", "feature_dim": "2", "mini_batch_size": "50"}
pca = trained("pca", RECORDS, RecordSerializer().serialize(rows.astype("float32")), given)
answer = RecordDeserializer().deserialize(io.BytesIO(asked(pca, RECORDS, RECORDS, "RecordIO", "None")), RECORDS)
projected = np.array([record.label["projection"].float32_tensor.values[0] for record in answer])
assert projected.shape == (150,)
assert abs(projected.mean()) < 1e-3
print("transformed", len(lines), len(projected))
