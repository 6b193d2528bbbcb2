"""The gateway behind the edge's own server, and behind an ASGI one, asked by boto3 and by sockets."""

import socket
import threading
import time

import boto3
import pytest
import uvicorn
import uvloop
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError

from clary.edge.server import EdgeServer
from clary.errors import AWSError
from clary.settings import Limits
from clary.wire.http import Extent
from tests.running import wait_until

KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


class Asgi(uvicorn.Server):
    """Any ASGI server, on a port of its own."""

    def __init__(self, gateway):
        super().__init__(uvicorn.Config(gateway, http="httptools", loop="uvloop", log_level="warning", lifespan="off"))

    def begin(self, listening):
        self.run(sockets=[listening])

    def end(self):
        self.should_exit = True

    def busy(self):
        return bool(self.server_state.tasks)


class Own:
    """The edge's."""

    def __init__(self, gateway):
        self.ours, self.alone = socket.socketpair()
        self.server = EdgeServer(gateway.serve, Limits(), self.alone.fileno())

    def begin(self, listening):
        uvloop.run(self.server.serve([listening]))
        self.alone.close()

    def end(self):
        self.ours.close()

    def busy(self):
        return bool(self.server.hall.tasks)


@pytest.fixture(params=[Own, Asgi], ids=["own", "asgi"])
def server(world, request):
    """Answers in a thread; `port` is where."""
    started = request.param(world.gateway)
    listening = socket.create_server(("127.0.0.1", 0))
    started.port = listening.getsockname()[1]
    thread = threading.Thread(target=started.begin, args=[listening])
    thread.start()
    yield started
    started.end()
    thread.join(60)
    listening.close()


@pytest.fixture
def client(server):
    made = []

    def make(service, **config):
        made.append(
            boto3.client(
                service,
                endpoint_url=f"http://127.0.0.1:{server.port}",
                region_name="eu-west-1",
                aws_access_key_id=KEY,
                aws_secret_access_key=SECRET,
                config=Config(retries={"total_max_attempts": 1}, **config),
            )
        )
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_boto3_is_answered_with_results_and_errors(world, client):
    sagemaker = client("sagemaker")
    world.outputs["DescribeTrainingJob"] = {"TrainingJobName": "job", "TrainingJobStatus": "Completed"}
    answer = sagemaker.describe_training_job(TrainingJobName="job")
    assert answer["TrainingJobStatus"] == "Completed"
    assert answer["ResponseMetadata"]["RequestId"] == world.calls[0].request_id
    assert world.calls[0].region == "eu-west-1"
    world.outputs["DescribeTrainingJob"] = AWSError("ValidationException", "Requested resource not found.")
    with pytest.raises(ClientError, match=r"\(ValidationException\).*Requested resource not found\."):
        sagemaker.describe_training_job(TrainingJobName="job")
    with pytest.raises(ClientError, match="clary coverage"):
        sagemaker.list_pipelines()


def test_boto3_invokes(client):
    answer = client("sagemaker-runtime").invoke_endpoint(EndpointName="e", Body=b"1,2,3", ContentType="text/csv")
    assert (answer["Body"].read(), answer["InvokedProductionVariant"]) == (b"3,2,1", "v")


def test_boto3_puts_and_gets_large_bodies(world, client, tmp_path):
    s3 = client("s3")
    body = bytes(range(256)) * 8192
    s3.put_object(Bucket="bucket", Key="a/b c+d%2F~ü", Body=body, Metadata={"x": "y"})
    assert world.bodies.kept == [body]
    assert world.calls[0].params["Key"] == "a/b c+d%2F~ü"
    file = tmp_path / "file"
    file.write_bytes(body)
    world.extent = Extent(((file, 0, len(body)),), len(body))
    assert s3.get_object(Bucket="bucket", Key="k")["Body"].read() == body
    assert s3.head_object(Bucket="bucket", Key="k")["ContentLength"] == 11


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_presigned_urls_of_boto3_work_for_get_and_put(world, client, tmp_path, version, server):
    s3 = client("s3", signature_version=version)
    file = tmp_path / "file"
    file.write_bytes(b"hello")
    world.extent = Extent(((file, 0, 5),), 5)
    get = s3.generate_presigned_url("get_object", {"Bucket": "bucket", "Key": "a b/ü", "VersionId": "v"})
    assert request(server.port, "GET", get).endswith(b"\r\n\r\nhello")
    put = s3.generate_presigned_url("put_object", {"Bucket": "bucket", "Key": "k", "ContentType": "text/plain"})
    answer = request(server.port, "PUT", put, {"content-type": "text/plain"}, b"body")
    assert answer.startswith(b"HTTP/1.1 200") and world.bodies.kept == [b"body"]


def request(port, method, url, headers=None, body=b"", *, end=True):
    path = url.partition("//")[2].partition("/")[2]
    head = {"host": f"127.0.0.1:{port}", "content-length": str(len(body)), "connection": "close", **(headers or {})}
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(f"{method} /{path} HTTP/1.1\r\n{lines}\r\n".encode() + body)
        if not end:
            return b""
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_a_client_that_expects_a_refusal_gets_it_before_its_body(world, server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(
            b"PUT /b/k HTTP/1.1\r\nhost: 127.0.0.1\r\nexpect: 100-continue\r\ncontent-length: 1000000\r\n\r\n"
        )
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 403") and b"100 Continue" not in answer
    assert not world.bodies.kept


def test_a_client_that_hangs_up_within_its_body_leaves_nothing(world, client, server):
    s3 = client("s3", signature_version="s3v4")
    put = s3.generate_presigned_url("put_object", {"Bucket": "bucket", "Key": "k"})
    request(server.port, "PUT", put, {"content-length": "100"}, b"half", end=False)
    s3.put_object(Bucket="bucket", Key="next", Body=b"whole")
    assert world.bodies.kept == [b"whole"] and [call.params["Key"] for call in world.calls] == ["next"]


def test_a_client_that_hangs_up_while_it_reads_frees_the_file(world, client, server, tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"")
    with file.open("r+b") as sparse:
        sparse.truncate(2**30)
    world.extent = Extent(((file, 0, 2**30),), 2**30)
    url = client("s3", signature_version="s3v4").generate_presigned_url("get_object", {"Bucket": "b", "Key": "k"})
    path = url.partition("//")[2].partition("/")[2]
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(f"GET /{path} HTTP/1.1\r\nhost: 127.0.0.1:{server.port}\r\n\r\n".encode())
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
    deadline = time.monotonic() + 60
    while server.busy() and time.monotonic() < deadline:
        client("sagemaker-runtime").invoke_endpoint(EndpointName="e", Body=b"x")
    assert not server.busy()


def test_a_small_body_that_nobody_read_does_not_spoil_the_connection(world, server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        for _ in range(3):
            connection.sendall(
                b"PUT /b/k HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 60000\r\n\r\n"
                + b"x" * 60_000
                + b"GET /_clary/health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"
            )
            answer = b""
            while not answer.endswith(b"fine"):
                piece = connection.recv(65536)
                assert piece, answer
                answer += piece
            assert answer.startswith(b"HTTP/1.1 403")
    assert not world.bodies.kept


def test_boto3_reads_a_stream_part_by_part_to_its_error(client):
    answer = client("sagemaker-runtime").invoke_endpoint_with_response_stream(EndpointName="e", Body=b"3")
    assert (answer["ContentType"], answer["InvokedProductionVariant"]) == ("text/plain", "v")
    assert answer["ResponseMetadata"]["HTTPHeaders"]["content-type"] == "application/vnd.amazon.eventstream"
    events = iter(answer["Body"])
    assert [next(events)["PayloadPart"]["Bytes"] for _ in range(3)] == [b"0", b"1", b"2"]
    with pytest.raises(EventStreamError, match=r"\(ModelStreamError\).*No more\."):
        next(events)


def test_a_client_that_leaves_a_stream_ends_it(world, client):
    answer = client("sagemaker-runtime").invoke_endpoint_with_response_stream(EndpointName="e", Body=b"endless")
    next(iter(answer["Body"]))
    answer["Body"].close()
    assert world.left.wait(60)


def test_a_client_that_reads_slowly_slows_a_stream_down(world, client):
    answer = client("sagemaker-runtime").invoke_endpoint_with_response_stream(EndpointName="e", Body=b"endless")
    next(iter(answer["Body"]))
    made = [-1]
    wait_until(lambda: made.append(len(world.parts)) or made[-1] == made[-2], 60, "no more parts are made")
    assert made[-1] < 100
    answer["Body"].close()
    assert world.left.wait(60)


def test_what_may_be_asked_again_says_when(world, client, server):
    world.outputs["DescribeTrainingJob"] = AWSError("ServiceUnavailable", "Later.", status=503)
    with pytest.raises(ClientError) as raised:
        client("sagemaker").describe_training_job(TrainingJobName="job")
    assert raised.value.response["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == "1"
