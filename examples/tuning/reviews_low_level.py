"""Are these reviews of films good or bad? A script of one's own, tuned by boto3, call by call.

The best model answers in a batch transform. Run it after `eval "$(clary env)"`.
"""

import io
import json
import os
import tarfile
import time

import boto3
import pandas as pd

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, os.pardir, "film_reviews", "imdb_reviews.csv")
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
BUCKET = "tuning-reviews-low-level"
NAME = "reviews-low-level"
SOURCE = f"s3://{BUCKET}/code/sourcedir.tar.gz"


def packed(path):
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        archive.add(path, arcname=os.path.basename(path))
    return made.getvalue()


def channel(name):
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{name}/"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


def ended(describe):
    while True:
        found = describe()
        if found["HyperParameterTuningJobStatus"] not in ("InProgress", "Stopping"):
            return found
        time.sleep(0.5)


def main():
    s3, sagemaker = boto3.client("s3"), boto3.client("sagemaker")
    role = boto3.client("iam").get_role(RoleName="ClaryExecutionRole")["Role"]["Arn"]
    reviews = pd.read_csv(DATA).sample(frac=1, random_state=1)
    test = reviews.iloc[480:]
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="code/sourcedir.tar.gz", Body=packed(os.path.join(HERE, "scripts", "words.py")))
    s3.put_object(Bucket=BUCKET, Key="train/train.csv", Body=reviews.iloc[:400].to_csv(index=False))
    s3.put_object(Bucket=BUCKET, Key="validation/validation.csv", Body=reviews.iloc[400:480].to_csv(index=False))
    asked = test[["review"]].to_csv(header=False, index=False, quoting=1)
    s3.put_object(Bucket=BUCKET, Key="test/reviews.csv", Body=asked)

    sagemaker.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=NAME,
        HyperParameterTuningJobConfig={
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "accuracy"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 6, "MaxParallelTrainingJobs": 2},
            "ParameterRanges": {
                "ContinuousParameterRanges": [
                    {"Name": "regularisation", "MinValue": "0.01", "MaxValue": "100", "ScalingType": "Logarithmic"}
                ],
                "IntegerParameterRanges": [
                    {"Name": "words", "MinValue": "500", "MaxValue": "20000", "ScalingType": "Logarithmic"}
                ],
                "CategoricalParameterRanges": [{"Name": "pairs", "Values": ["yes", "no"]}],
            },
            "RandomSeed": 3,
        },
        TrainingJobDefinition={
            "StaticHyperParameters": {
                "sagemaker_program": json.dumps("words.py"),
                "sagemaker_submit_directory": json.dumps(SOURCE),
            },
            "AlgorithmSpecification": {
                "TrainingImage": IMAGE,
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": "accuracy", "Regex": r"accuracy=([0-9.]+)"}],
            },
            "RoleArn": role,
            "InputDataConfig": [channel("train"), channel("validation")],
            "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/output"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        },
    )
    tuning = ended(lambda: sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=NAME))
    print(tuning["HyperParameterTuningJobStatus"], tuning["ObjectiveStatusCounters"])

    best = tuning["BestTrainingJob"]["TrainingJobName"]
    artifacts = sagemaker.describe_training_job(TrainingJobName=best)["ModelArtifacts"]["S3ModelArtifacts"]
    script = {"SAGEMAKER_PROGRAM": "words.py", "SAGEMAKER_SUBMIT_DIRECTORY": SOURCE}
    container = {"Image": IMAGE, "ModelDataUrl": artifacts, "Environment": script}
    sagemaker.create_model(ModelName=best, ExecutionRoleArn=role, PrimaryContainer=container)
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/test/"}}
    sagemaker.create_transform_job(
        TransformJobName=best,
        ModelName=best,
        TransformInput={"DataSource": source, "ContentType": "text/csv"},
        TransformOutput={"S3OutputPath": f"s3://{BUCKET}/answers", "Accept": "text/csv"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    sagemaker.get_waiter("transform_job_completed_or_stopped").wait(TransformJobName=best)
    answers = s3.get_object(Bucket=BUCKET, Key="answers/reviews.csv.out")["Body"].read().decode().split()
    right = sum(said == told for said, told in zip(answers, test["sentiment"]))
    print(f"accuracy of the batch on {len(test)} reviews: {right / len(test):.3f}")


if __name__ == "__main__":
    main()
