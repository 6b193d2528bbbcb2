"""House prices with SageMaker's built-in XGBoost, by boto3 alone. Run it after `eval "$(clary env)"`."""

import os
import time

import boto3
import pandas as pd

HERE = os.path.dirname(os.path.abspath(__file__))
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"


def main():
    sagemaker, runtime, s3 = (boto3.client(name) for name in ("sagemaker", "sagemaker-runtime", "s3"))
    role = boto3.client("iam").get_role(RoleName="ClaryExecutionRole")["Role"]["Arn"]
    name = f"boston-{int(time.time() * 1000)}"
    s3.create_bucket(Bucket=name)

    houses = pd.read_csv(os.path.join(HERE, "boston_housing.csv")).sample(frac=1, random_state=0)
    houses = houses[["medv", *houses.columns.drop("medv")]]
    train, test = houses.iloc[:420], houses.iloc[420:]
    s3.put_object(Bucket=name, Key="train/train.csv", Body=train.to_csv(header=False, index=False))

    sagemaker.create_training_job(
        TrainingJobName=name,
        RoleArn=role,
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        InputDataConfig=[
            {
                "ChannelName": "train",
                "ContentType": "text/csv",
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": f"s3://{name}/train/",
                        "S3DataDistributionType": "FullyReplicated",
                    }
                },
            }
        ],
        OutputDataConfig={"S3OutputPath": f"s3://{name}/output"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
        HyperParameters={"objective": "reg:squarederror", "num_round": "200", "max_depth": "5", "eta": "0.2"},
    )
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=name)
    job = sagemaker.describe_training_job(TrainingJobName=name)
    print(job["TrainingJobStatus"], {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]})

    sagemaker.create_model(
        ModelName=name,
        ExecutionRoleArn=role,
        PrimaryContainer={"Image": IMAGE, "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"]},
    )
    sagemaker.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[
            {"VariantName": "all", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        ],
    )
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name)

    rows = test.drop(columns="medv").to_csv(header=False, index=False)
    answer = runtime.invoke_endpoint(EndpointName=name, ContentType="text/csv", Body=rows)
    prices = [float(price) for price in answer["Body"].read().decode().replace("\n", ",").strip(",").split(",")]
    error = (sum((a - b) ** 2 for a, b in zip(prices, test["medv"])) / len(prices)) ** 0.5
    print(f"root mean square error on {len(test)} houses: {error:.2f} (thousand dollars)")

    sagemaker.delete_endpoint(EndpointName=name)
    sagemaker.delete_endpoint_config(EndpointConfigName=name)
    sagemaker.delete_model(ModelName=name)
    return error


if __name__ == "__main__":
    main()
