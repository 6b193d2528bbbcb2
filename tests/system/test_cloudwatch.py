"""CloudWatch of a started Clary: asked in each of its protocols, compressed, and for what jobs and endpoints report."""

from __future__ import annotations

import gzip
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest, HeadersDict
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from tests.running import RunningClary, unless_away, wait_until
from tests.system.jobs import Jobs

pytestmark = [pytest.mark.system]

CBOR = "smithy-rpc-v2-cbor"

LOSSES = """\
import time
for loss in (4.0, 2.0, 1.0):
    print(f"loss={loss};", flush=True)
    time.sleep(0.05)
open("/opt/ml/model/model", "w").close()
"""


@pytest.fixture(scope="module")
def jobs(shared: RunningClary) -> Iterator[Jobs]:
    yield Jobs(shared)


def asked(jobs: Jobs, headers: dict[str, str], body: bytes, path: str = "/") -> tuple[int, dict[str, str], bytes]:
    """One signed request, as a client of that protocol sends it."""
    key = json.loads((jobs.clary.data_dir / "credentials.json").read_text())
    request = AWSRequest("POST", jobs.clary.endpoint_url + path, headers=headers, data=body)
    SigV4Auth(Credentials(key["access_key_id"], key["secret_access_key"]), "monitoring", "us-east-1").add_auth(request)
    sent = urllib.request.Request(request.url, body, dict(request.headers.items()), method="POST")
    try:
        with urllib.request.urlopen(sent) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read()


def statistics(jobs: Jobs, namespace: str, name: str, **dimensions: str) -> Any:
    now = datetime.now(UTC)
    answer = jobs.clary.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=now - timedelta(minutes=10),
        EndTime=now + timedelta(minutes=1),
        Period=86_400,
        Statistics=["SampleCount", "Sum", "Average", "Minimum", "Maximum"],
    )
    return whole(answer["Datapoints"])


def whole(points: list[Any]) -> Any:
    """One datapoint of all: those of today, and those of yesterday around midnight; None of none."""
    if not points:
        return None
    count, total = (sum(point[name] for point in points) for name in ("SampleCount", "Sum"))
    return {
        **points[0],
        "SampleCount": count,
        "Sum": total,
        "Average": total / count,
        "Minimum": min(point["Minimum"] for point in points),
        "Maximum": max(point["Maximum"] for point in points),
    }


def test_a_query_client_puts_and_lists(jobs: Jobs) -> None:
    form = {
        "Action": "PutMetricData",
        "Version": "2010-08-01",
        "Namespace": "query",
        "MetricData.member.1.MetricName": "m",
        "MetricData.member.1.Value": "1.5",
        "MetricData.member.1.Dimensions.member.1.Name": "d",
        "MetricData.member.1.Dimensions.member.1.Value": "v",
    }
    headers = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
    assert asked(jobs, headers, urlencode(form).encode())[0] == 200
    packed = gzip.compress(urlencode(form).encode())
    assert asked(jobs, headers | {"content-encoding": "gzip"}, packed)[0] == 200
    form = {"Action": "ListMetrics", "Version": "2010-08-01", "Namespace": "query"}
    _, _, body = asked(jobs, headers, urlencode(form).encode())
    assert b"<MetricName>m</MetricName>" in body
    assert statistics(jobs, "query", "m", d="v")["Sum"] == 3.0


def test_a_json_client_puts_and_is_refused(jobs: Jobs) -> None:
    target = "GraniteServiceVersion20100801.PutMetricData"
    headers = {"content-type": "application/x-amz-json-1.0", "x-amz-target": target}
    data = [{"MetricName": "m", "Values": [1, 2], "Counts": [1, 3], "Timestamp": time.time()}]
    body = json.dumps({"Namespace": "json", "MetricData": data}).encode()
    assert asked(jobs, headers, body)[0] == 200
    assert statistics(jobs, "json", "m")["Average"] == 1.75
    status, told, said = asked(jobs, headers, json.dumps({"Namespace": "json", "MetricData": [{}] * 1}).encode())
    assert (status, b"validation error" in said) == (400, True)
    status, told, said = asked(jobs, headers, json.dumps({"Namespace": "j", "MetricData": data * 1001}).encode())
    assert told["x-amzn-query-error"] == "InvalidParameterValue;Sender"
    assert json.loads(said)["__type"].endswith("#InvalidParameterValueException")


def test_a_cbor_client_puts_and_reads(jobs: Jobs) -> None:
    def call(name: str, **params: Any) -> Any:
        operation = jobs.clary.client("cloudwatch").meta.service_model.operation_model(name)
        sent = create_serializer(CBOR, include_validation=False).serialize_to_request(params, operation)
        status, headers, body = asked(jobs, dict(sent["headers"]), sent["body"], sent["url_path"])
        answer = {"status_code": status, "headers": HeadersDict(headers), "body": body}
        assert headers["smithy-protocol"] == "rpc-v2-cbor"
        return create_parser(CBOR).parse(answer, operation.output_shape)

    now = datetime.now(UTC)
    call("PutMetricData", Namespace="cbor-client", MetricData=[{"MetricName": "m", "Value": 1.5, "Timestamp": now}])
    query = {
        "Id": "q",
        "MetricStat": {"Metric": {"Namespace": "cbor-client", "MetricName": "m"}, "Period": 60, "Stat": "Sum"},
    }
    found = call(
        "GetMetricData",
        MetricDataQueries=[query],
        StartTime=now - timedelta(minutes=5),
        EndTime=now + timedelta(minutes=1),
    )
    (result,) = found["MetricDataResults"]
    assert result["Values"] == [1.5]
    assert abs(result["Timestamps"][0] - now) <= timedelta(minutes=1)
    refused = call("PutMetricData", Namespace="n", MetricData=[{"MetricName": "m", "Value": float("nan")}])
    assert (refused["Error"]["Code"], refused["Error"]["QueryErrorCode"]) == (
        "InvalidParameterValue",
        "InvalidParameterValueException",
    )


def test_boto3_compresses_what_is_large(jobs: Jobs) -> None:
    cloudwatch = jobs.clary.client("cloudwatch")
    cloudwatch.put_metric_data(
        Namespace="cbor", MetricData=[{"MetricName": "a" * 200, "Value": float(n)} for n in range(1000)]
    )
    assert statistics(jobs, "cbor", "a" * 200)["SampleCount"] == 1000
    with pytest.raises(ClientError) as raised:
        cloudwatch.put_metric_data(Namespace="cbor", MetricData=[{"MetricName": "m", "Value": float("inf")}])
    assert raised.value.response["Error"]["Code"] == "InvalidParameterValue"
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_who_has_no_right_is_denied_in_the_code_that_query_clients_know(jobs: Jobs) -> None:
    iam = jobs.clary.client("iam")
    iam.create_user(UserName="reader")
    statement = {"Effect": "Allow", "Action": "cloudwatch:ListMetrics", "Resource": "*"}
    condition = {"StringEquals": {"cloudwatch:namespace": "own"}}
    putting = {"Effect": "Allow", "Action": "cloudwatch:PutMetricData", "Resource": "*", "Condition": condition}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement, putting]})
    iam.put_user_policy(UserName="reader", PolicyName="p", PolicyDocument=policy)
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    reader = boto3.client(
        "cloudwatch",
        endpoint_url=jobs.clary.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
        config=Config(retries={"max_attempts": 0}),
    )
    reader.list_metrics()
    reader.put_metric_data(Namespace="own", MetricData=[{"MetricName": "m", "Value": 1.0}])
    with pytest.raises(ClientError) as raised:
        reader.put_metric_data(Namespace="other", MetricData=[{"MetricName": "m", "Value": 1.0}])
    assert raised.value.response["Error"]["Code"] == "AccessDenied"
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert "cloudwatch:PutMetricData" in raised.value.response["Error"]["Message"]


def test_metrics_outlive_a_kill_of_control(jobs: Jobs) -> None:
    cloudwatch = jobs.clary.client("cloudwatch")
    cloudwatch.put_metric_data(Namespace="kept", MetricData=[{"MetricName": "m", "Value": 7.0}])
    jobs.clary.kill("control")
    wait_until(lambda: unless_away(cloudwatch.list_metrics), 60, "control is back")
    assert statistics(jobs, "kept", "m")["Sum"] == 7.0


def test_a_training_jobs_metrics_are_series(jobs: Jobs) -> None:
    algorithm = {
        "TrainingImage": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3",
        "TrainingInputMode": "File",
        "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+);"}],
    }
    name = jobs.start("metered", LOSSES, AlgorithmSpecification=algorithm)
    job = jobs.ended(name)
    assert job["TrainingJobStatus"] == "Completed", job
    found = statistics(jobs, "/aws/sagemaker/TrainingJobs", "loss", TrainingJobName=name)
    assert (found["SampleCount"], found["Maximum"], found["Minimum"]) == (3.0, 4.0, 1.0)
    listed = jobs.clary.client("cloudwatch").list_metrics(Namespace="/aws/sagemaker/TrainingJobs")["Metrics"]
    assert {"Name": "TrainingJobName", "Value": name} in listed[0]["Dimensions"]
    found = jobs.sagemaker.search(
        Resource="TrainingJob",
        SearchExpression={"Filters": [{"Name": "Metrics.loss", "Operator": "LessThanOrEqualTo", "Value": "1.0"}]},
        SortBy="Metrics.loss",
    )
    assert [result["TrainingJob"]["TrainingJobName"] for result in found["Results"]] == [name]


def test_an_endpoint_reports_invocations_latencies_and_errors(jobs: Jobs) -> None:
    name = jobs.deploy("metered-endpoint")
    for _ in range(5):
        jobs.ask(name)
    with pytest.raises(ClientError):
        jobs.runtime.invoke_endpoint(EndpointName=name, ContentType="no/such", Body=b"x")
    of = {"EndpointName": name, "VariantName": "all"}

    def reported() -> float:
        found = statistics(jobs, "AWS/SageMaker", "Invocations", **of)
        return found["Sum"] if found else 0.0

    wait_until(lambda: reported() >= 6, 60, "all invocations are reported")
    assert reported() == 6
    errors = ("InvocationModelErrors", "Invocation4XXErrors", "Invocation5XXErrors")
    assert [statistics(jobs, "AWS/SageMaker", each, **of)["Sum"] for each in errors] == [1, 1, 0]
    latency = statistics(jobs, "AWS/SageMaker", "ModelLatency", **of)
    assert latency["Unit"] == "Microseconds"
    assert 50 < latency["Minimum"] < 1e6  # of a machine that stalls the others may take longer
    assert statistics(jobs, "AWS/SageMaker", "OverheadLatency", **of)["SampleCount"] == 6
    wait_until(
        lambda: statistics(jobs, "AWS/SageMaker", "ConcurrentRequestsPerModel", **of) is not None,
        60,
        "how many it has at once is reported, too",
    )
