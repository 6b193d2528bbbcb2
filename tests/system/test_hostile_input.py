"""Bad input never makes a 500, never hangs and never kills the server; it is answered in AWS's words.

Guessed input is in tests/fuzz.
"""

from __future__ import annotations

import io
import json
import os
import socket
import tarfile
from collections.abc import Iterator
from random import Random

import pytest
from botocore.exceptions import ClientError

from clary.wire import models
from tests.fuzz.attacker import Attacker
from tests.fuzz.guessing import STRANGE
from tests.running import RunningClary, wait_until
from tests.system.jobs import BUCKET, SKLEARN, Jobs

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("hostile")]

PROCESSES = ("supervisor", "edge", "control", "launcher")


@pytest.fixture(scope="module")
def clary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningClary]:
    with RunningClary(tmp_path_factory.mktemp("clary")) as running:
        yield running


@pytest.fixture(scope="module")
def jobs(clary: RunningClary) -> Jobs:
    return Jobs(clary)


@pytest.fixture
def attacker(clary: RunningClary) -> Attacker:
    """A new one for each test, whose guesses do not depend on which tests came before in the same process."""
    return Attacker(clary, Random(1))


@pytest.fixture(autouse=True)
def unharmed(clary: RunningClary) -> Iterator[None]:
    """After each test the same processes answer, and none of them has logged a traceback."""
    before = {name: clary.process(name) for name in PROCESSES}
    yield
    assert {name: clary.process(name) for name in PROCESSES} == before
    assert clary.client("sts").get_caller_identity()["Account"] == "000000000000"
    assert "Traceback" not in (clary.data_dir / "server.log").read_text()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 1000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 300,  # TLS on the plain port
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 200_000 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Amz-Target: SageMaker.\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: AWS4-HMAC-SHA256 nonsense\r\n\r\n",
        b"PUT /b/k HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: AWS a:b\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_garbage_on_the_port(attacker: Attacker, data: bytes) -> None:
    assert attacker.raw(data, hang_up=True).status < 500


def test_a_body_that_ends_too_soon(attacker: Attacker) -> None:
    for announced in (b"Content-Length: 1000\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\n5\r\n{"):
        head = b"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: SageMaker.ListModels\r\n"
        assert attacker.raw(head + announced, hang_up=True).status < 500


def test_many_half_open_connections_leave_room_for_others(clary: RunningClary) -> None:
    held = [socket.create_connection(("127.0.0.1", clary.port)) for _ in range(300)]
    for connection in held[::2]:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n")
    assert clary.client("s3").list_buckets()["Buckets"] is not None
    for connection in held:
        connection.close()


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"null", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 5000])
def test_malformed_json(attacker: Attacker, body: bytes) -> None:
    request = attacker.requests("sagemaker", models.operation("sagemaker", "DescribeModel"))
    request.data = body
    answer = attacker.send("sagemaker", request)
    assert answer.status == 400
    assert json.loads(answer.body)["__type"] in ("SerializationException", "ValidationException")


@pytest.mark.parametrize(
    "body",
    [
        b"<",
        b"<Delete>",
        b"<a/>",
        b"\xff",
        b"<Delete>" + b"<Object>" * 20_000,
        b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><Delete><Object><Key>&b;</Key></Object></Delete>',
        b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><Delete><Object><Key>&f;</Key></Object></Delete>',
    ],
)
def test_malformed_xml(jobs: Jobs, attacker: Attacker, body: bytes) -> None:
    request = attacker.requests("s3", models.operation("s3", "DeleteObjects"))
    request.url = f"{jobs.clary.endpoint_url}/{BUCKET}?delete"
    request.data = body
    answer = attacker.send("s3", request)
    assert answer.status == 400, answer
    assert b"root:" not in answer.body


def test_strange_names_are_refused_or_kept_as_they_are(jobs: Jobs) -> None:
    for name in STRANGE:
        with pytest.raises(ClientError) as refused:
            jobs.sagemaker.describe_training_job(TrainingJobName=name or "_")
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    for key in ("../../climbs", "/etc/passwd", "a//b", "./.", "ünïcode ☃", "%00%2e", " ", "k" * 1024):
        jobs.s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
        assert jobs.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == key.encode()
    with pytest.raises(ClientError) as refused:
        jobs.s3.put_object(Bucket=BUCKET, Key="k" * 1025, Body=b"")
    assert refused.value.response["Error"]["Code"] == "KeyTooLongError"


def climbing(member: tarfile.TarInfo) -> bytes:
    """An archive with an honest file and one that climbs."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        honest = tarfile.TarInfo("model.txt")
        archive.addfile(honest, io.BytesIO(b""))
        archive.addfile(member, io.BytesIO(b"x" * member.size))
    return made.getvalue()


def link(name: str, target: str, kind: bytes) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def named(name: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size = 4
    return member


@pytest.mark.parametrize(
    ("name", "member"),
    [
        ("dots", named("../../../../climbed")),
        ("absolute", named("/tmp/clary-climbed")),
        ("symlink", link("out", "/etc/passwd", tarfile.SYMTYPE)),
        ("hardlink", link("out", "../../../etc/passwd", tarfile.LNKTYPE)),
        ("device", link("null", "", tarfile.CHRTYPE)),
    ],
)
def test_a_climbing_member_of_a_model_archive(jobs: Jobs, name: str, member: tarfile.TarInfo) -> None:
    jobs.s3.put_object(Bucket=BUCKET, Key=f"climb-{name}/model.tar.gz", Body=climbing(member))
    container = {"Image": SKLEARN, "ModelDataUrl": f"s3://{BUCKET}/climb-{name}/model.tar.gz"}
    jobs.sagemaker.create_model(ModelName=f"climb-{name}", ExecutionRoleArn=jobs.role, PrimaryContainer=container)
    variant = {"VariantName": "v", "ModelName": f"climb-{name}", "InitialInstanceCount": 1}
    variant["InstanceType"] = "ml.m5.large"
    jobs.sagemaker.create_endpoint_config(EndpointConfigName=f"climb-{name}", ProductionVariants=[variant])
    jobs.sagemaker.create_endpoint(EndpointName=f"climb-{name}", EndpointConfigName=f"climb-{name}")
    wait_until(lambda: jobs.endpoint_status(f"climb-{name}") != "Creating", 120, "the endpoint has failed")
    described = jobs.sagemaker.describe_endpoint(EndpointName=f"climb-{name}")
    assert described["EndpointStatus"] == "Failed", described
    assert not os.path.exists("/tmp/clary-climbed")  # noqa: PTH110
    jobs.sagemaker.delete_endpoint(EndpointName=f"climb-{name}")


SPIES = """\
import glob, os, socket, sys
seen = []
python = tuple(map(os.path.realpath, (sys.prefix, sys.base_prefix)))  # at its own place, which may be below /home
for folder, _, files in os.walk("/home"):
    if files and not os.path.realpath(folder).startswith(python):
        seen.append((folder, files))
for path in glob.glob("/proc/[0-9]*/environ"):
    try:
        if b"clary.supervisor" in open(path.replace("environ", "cmdline"), "rb").read():
            seen.append(path)
    except OSError:
        pass
for path in (DATA, DATA + "/secret.key", "/root/.ssh", "/etc/shadow"):
    try:
        seen.append((path, open(path).read()[:20] if os.path.isfile(path) else os.listdir(path)))
    except OSError:
        pass
for port in (PORT, 22):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
        seen.append(port)
    except OSError:
        pass
for path in PLANTED:  # a root of the container's own may be written to; the host's must not be
    try:
        open(path, "w").close()
    except OSError:
        pass
print("seen:", seen)
"""


def test_a_script_that_spies_sees_nothing_of_the_host(jobs: Jobs) -> None:
    planted = ("/usr/bin/clary-was-here", "/etc/clary-was-here", "/tmp/clary-was-here", str(jobs.clary.data_dir / "x"))
    script = SPIES.replace("DATA", repr(str(jobs.clary.data_dir))).replace("PORT", str(jobs.clary.port))
    script = script.replace("PLANTED", repr(planted))
    assert jobs.ended(jobs.start("spies", script))["TrainingJobStatus"] == "Completed"
    assert "seen: []" in jobs.said("spies").splitlines()
    assert [path for path in planted if os.path.exists(path)] == []  # noqa: PTH110


def test_an_output_folder_that_became_a_link_is_not_followed(jobs: Jobs) -> None:
    script = (
        f"import os\nos.rmdir('/opt/ml/output/data')\nos.symlink({str(jobs.clary.data_dir)!r}, '/opt/ml/output/data')"
    )
    assert jobs.ended(jobs.start("links", script))["TrainingJobStatus"] == "Completed"
    listed = jobs.s3.list_objects_v2(Bucket=BUCKET, Prefix="output/links/").get("Contents", [])
    assert [entry["Key"] for entry in listed if "output.tar.gz" in entry["Key"]] == []


def test_a_line_of_20_megabytes_and_a_flood_of_lines(jobs: Jobs) -> None:
    script = "print('x' * 20_000_000)\nfor i in range(20000): print('line', i)\nprint('the end')"
    assert jobs.ended(jobs.start("floods", script))["TrainingJobStatus"] == "Completed"
    last = jobs.clary.run("logs", "floods").stdout.rstrip().splitlines()[-5:]
    assert any("the end" in line for line in last) or "the end" in jobs.said("floods")


def test_children_that_stay_end_with_the_job(jobs: Jobs) -> None:
    script = "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(3600)\nprint('parent leaves')"
    assert jobs.ended(jobs.start("forks", script))["TrainingJobStatus"] == "Completed"


def test_the_last_line_of_a_traceback_is_the_reason(jobs: Jobs) -> None:
    job = jobs.ended(jobs.start("raises", "def f():\n    raise KeyError('no such column')\nf()"))
    assert job["TrainingJobStatus"] == "Failed"
    assert "KeyError: 'no such column'" in job["FailureReason"]
