"""House prices: a tuning by boto3, call by call, and the best model in a batch transform. Run it after
`eval "$(clary env)"`.
"""

import os
import time

import boto3
import numpy as np
import pandas as pd

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, os.pardir, "boston_housing", "boston_housing.csv")
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
BUCKET = "tuning-low-level"
NAME = "houses-low-level"


def put(s3, table, key):
    s3.put_object(Bucket=BUCKET, Key=key, Body=table.to_csv(header=False, index=False))


def channel(name):
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{name}/"}
    return {"ChannelName": name, "ContentType": "text/csv", "DataSource": {"S3DataSource": source}}


def main():
    s3, sagemaker = boto3.client("s3"), boto3.client("sagemaker")
    role = boto3.client("iam").get_role(RoleName="ClaryExecutionRole")["Role"]["Arn"]
    table = pd.read_csv(DATA).sample(frac=1, random_state=0)
    table = table[["medv", *table.columns.drop("medv")]]
    test = table.iloc[420:]
    s3.create_bucket(Bucket=BUCKET)
    put(s3, table.iloc[:340], "train/houses.csv")
    put(s3, table.iloc[340:420], "validation/houses.csv")
    put(s3, test.drop(columns="medv"), "test/houses.csv")

    sagemaker.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=NAME,
        HyperParameterTuningJobConfig={
            "Strategy": "Bayesian",
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "validation:rmse"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 8, "MaxParallelTrainingJobs": 2},
            "ParameterRanges": {
                "ContinuousParameterRanges": [
                    {"Name": "eta", "MinValue": "0.03", "MaxValue": "0.5", "ScalingType": "Logarithmic"}
                ],
                "IntegerParameterRanges": [{"Name": "max_depth", "MinValue": "2", "MaxValue": "9"}],
            },
            "RandomSeed": 1,
        },
        TrainingJobDefinition={
            "StaticHyperParameters": {"objective": "reg:squarederror", "num_round": "100"},
            "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            "RoleArn": role,
            "InputDataConfig": [channel("train"), channel("validation")],
            "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/output"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        },
    )
    while True:
        tuning = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=NAME)
        if tuning["HyperParameterTuningJobStatus"] not in ("InProgress", "Stopping"):
            break
        time.sleep(0.5)
    print(tuning["HyperParameterTuningJobStatus"], tuning["TrainingJobStatusCounters"])

    ranked = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=NAME, SortBy="FinalObjectiveMetricValue", SortOrder="Ascending", MaxResults=3
    )
    for job in ranked["TrainingJobSummaries"]:
        objective = job["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
        print(job["TrainingJobName"], f"{objective:.3f}", job["TunedHyperParameters"])

    best = tuning["BestTrainingJob"]["TrainingJobName"]
    artifacts = sagemaker.describe_training_job(TrainingJobName=best)["ModelArtifacts"]["S3ModelArtifacts"]
    sagemaker.create_model(
        ModelName=best, ExecutionRoleArn=role, PrimaryContainer={"Image": IMAGE, "ModelDataUrl": artifacts}
    )
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/test/"}}
    sagemaker.create_transform_job(
        TransformJobName=best,
        ModelName=best,
        TransformInput={"DataSource": source, "ContentType": "text/csv", "SplitType": "Line"},
        TransformOutput={"S3OutputPath": f"s3://{BUCKET}/answers", "AssembleWith": "Line"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    sagemaker.get_waiter("transform_job_completed_or_stopped").wait(TransformJobName=best)
    answers = s3.get_object(Bucket=BUCKET, Key="answers/houses.csv.out")["Body"].read().decode()
    prices = np.array(answers.replace("\n", ",").strip(",").split(","), dtype=float)
    error = float(np.sqrt(np.mean((prices - test["medv"].values) ** 2)))
    print(f"root mean square error on {len(test)} houses: {error:.2f}")


if __name__ == "__main__":
    main()
