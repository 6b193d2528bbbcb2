"""With signatures checked, what a role may not read in S3 is refused where AWS refuses it: by the Create."""

from __future__ import annotations

import json

import pytest

from clary.calls import Principal
from clary.services.iam.bootstrap import ensure_defaults

ACCOUNT = "000000000000"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
TRUST = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.fixture
def inner(tmp_path, make_inner):
    inner = make_inner(tmp_path / "strict", auth="sigv4")
    ensure_defaults(inner.store, inner.settings)
    inner.objects.create_bucket("data", account=ACCOUNT, region="us-east-1")
    for key in ("mine/model.tar.gz", "theirs/model.tar.gz"):
        inner.objects.put_bytes("data", key, b"x")
    return inner


@pytest.fixture
def role(inner):
    """May read and list below `mine/` only."""
    made = inner("iam", "CreateRole", RoleName="narrow", AssumeRolePolicyDocument=document(TRUST))["Role"]
    read = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::data/mine/*"}
    within = {"StringLike": {"s3:prefix": "mine/*"}}
    look = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::data", "Condition": within}
    inner("iam", "PutRolePolicy", RoleName="narrow", PolicyName="p", PolicyDocument=document(read, look))
    return made["Arn"]


def container(prefix, *, packed=True):
    if packed:
        return {"Image": XGBOOST, "ModelDataUrl": f"s3://data/{prefix}/model.tar.gz"}
    source = {"S3Uri": f"s3://data/{prefix}/", "S3DataType": "S3Prefix", "CompressionType": "None"}
    return {"Image": XGBOOST, "ModelDataSource": {"S3DataSource": source}}


@pytest.mark.parametrize("packed", [True, False], ids=["archive", "prefix"])
def test_a_model_needs_a_role_that_may_read_it(inner, role, packed):
    inner(
        "sagemaker",
        "CreateModel",
        ModelName="m",
        ExecutionRoleArn=role,
        PrimaryContainer=container("mine", packed=packed),
    )
    theirs = {"ModelName": "n", "PrimaryContainer": container("theirs", packed=packed)}
    for who in ({"ExecutionRoleArn": role}, {}):
        code, text = inner.refusal("sagemaker", "CreateModel", **theirs, **who)
        assert code == "ValidationException"
        assert text.startswith("Could not access model data at s3://data/theirs/")
        assert f'the role "{who.get("ExecutionRoleArn", "")}" exists' in text
        assert 'has "s3:GetObject" permissions and that the object is located in us-east-1.' in text


def test_a_training_job_needs_a_role_that_may_list_its_input(inner, role):
    def request(prefix):
        source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://data/{prefix}/"}}
        return {
            "TrainingJobName": "job",
            "AlgorithmSpecification": {"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
            "RoleArn": role,
            "InputDataConfig": [{"ChannelName": "train", "DataSource": source}],
            "OutputDataConfig": {"S3OutputPath": "s3://data/out"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        }

    code, text = inner.refusal("sagemaker", "CreateTrainingJob", **request("theirs"))
    assert code == "ValidationException"
    assert text.startswith('No S3 objects found under S3 URL "s3://data/theirs/" given in input data source.')
    assert text.endswith(f'that the role "{role}" has "s3:ListBucket" permissions on bucket "data".')
    inner("sagemaker", "CreateTrainingJob", **request("mine"))


def tuning(role, prefix):
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://data/{prefix}/"}}
    return {
        "HyperParameterTuningJobName": "tuning",
        "HyperParameterTuningJobConfig": {
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "train:rmse"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 1},
            "ParameterRanges": {"ContinuousParameterRanges": [{"Name": "eta", "MinValue": "0", "MaxValue": "1"}]},
        },
        "TrainingJobDefinition": {
            "AlgorithmSpecification": {"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
            "RoleArn": role,
            "InputDataConfig": [{"ChannelName": "train", "DataSource": source}],
            "OutputDataConfig": {"S3OutputPath": "s3://data/out"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        },
    }


def test_a_tuning_is_refused_what_its_training_jobs_would_be(inner, role):
    _, text = inner.refusal("sagemaker", "CreateHyperParameterTuningJob", **tuning(role, "theirs"))
    assert text.startswith('No S3 objects found under S3 URL "s3://data/theirs/" given in input data source.')
    inner("sagemaker", "CreateHyperParameterTuningJob", **tuning(role, "mine"))


def test_whoever_may_not_pass_the_role_may_not_tune_with_it(inner, role):
    arn = f"arn:aws:iam::{ACCOUNT}:user/ann"
    inner("iam", "CreateUser", UserName="ann")
    inner.principal = Principal("user", ACCOUNT, arn, arn, "AIDAANN")
    code, text = inner.refusal("sagemaker", "CreateHyperParameterTuningJob", **tuning(role, "mine"))
    assert code == "AccessDeniedException"
    assert f"is not authorized to perform: iam:PassRole on resource: {role}" in text


def test_an_asynchronous_endpoint_needs_a_role_that_may_tell_its_topics(inner, role):
    model = {"ModelName": "m", "ExecutionRoleArn": role, "PrimaryContainer": container("mine")}
    inner("sagemaker", "CreateModel", **model)
    topic = f"arn:aws:sns:us-east-1:{ACCOUNT}:told"
    output = {"S3OutputPath": "s3://data/out", "NotificationConfig": {"ErrorTopic": topic}}
    variant = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    config = {"ProductionVariants": [variant], "AsyncInferenceConfig": {"OutputConfig": output}}
    inner("sagemaker", "CreateEndpointConfig", EndpointConfigName="c", **config)
    asked = {"EndpointName": "e", "EndpointConfigName": "c"}
    code, text = inner.refusal("sagemaker", "CreateEndpoint", **asked)
    assert code == "ValidationException"
    assert text.endswith(f'and has "sns:Publish" permissions for topic "{topic}".')
    tell = document({"Effect": "Allow", "Action": "sns:Publish", "Resource": topic})
    inner("iam", "PutRolePolicy", RoleName="narrow", PolicyName="tell", PolicyDocument=tell)
    inner("sagemaker", "CreateEndpoint", **asked)
