"""Starting, ending and killing Clary, as a person at a terminal sees it."""

from __future__ import annotations

import concurrent.futures
import json
import os
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.running import CLARY, RunningClary, free_port, wait_until
from tests.system.jobs import SKLEARN, Jobs

pytestmark = [pytest.mark.system]

READY_SECONDS = 2.0
PROCESSES = ("supervisor", "control", "edge")
THINKS = 0.01
"""Seconds: what is killed meanwhile starts again on the same processors."""


@pytest.fixture(scope="module")
def new(tmp_path_factory):
    """On an empty data folder, just started, as `clary up` does without more words."""
    with RunningClary(tmp_path_factory.mktemp("new") / "data") as running:
        yield running


def get(clary: RunningClary, path: str, headers: dict[str, str] | None = None, method: str = "GET"):
    request = urllib.request.Request(clary.endpoint_url + path, headers=headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def test_ready_means_every_operation_is_answered(new):
    assert new.client("sts").get_caller_identity()["Account"] == "000000000000"
    new.client("s3").create_bucket(Bucket="first")
    assert get(new, "/_clary/health")[1]["status"] == "ready"


def waited_for_a_processor(pid: int) -> float:
    """Seconds that a process was ready to run and something else ran."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9


def test_up_is_ready_within_two_seconds_on_data_that_it_knows(clary):
    """At least once, and without what other tests had of the processors meanwhile: the command waited for them first,
    then the supervisor, then the two that it starts side by side."""

    def seconds():
        clary.down()
        begun = time.monotonic()
        up = subprocess.Popen([CLARY, *clary.to_start, "--data-dir", clary.data_dir], stdout=subprocess.DEVNULL)
        os.waitid(os.P_PID, up.pid, os.WEXITED | os.WNOWAIT)
        took = time.monotonic() - begun
        waited = [waited_for_a_processor(pid) for pid in (up.pid, *map(clary.process, PROCESSES))]
        assert up.wait() == 0
        return took - waited[0] - waited[1] - max(waited[2:])

    assert any(seconds() < READY_SECONDS * 2 for _ in range(10))


def test_a_second_up_on_the_same_data_is_one_clear_line(clary):
    refused = clary.run("up", "--detach", "--port", "0", check=False)
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"clary: The data folder {clary.data_dir} is in use by a running Clary (process ")
    assert refused.stderr.count("\n") == 1


def test_a_taken_port_is_one_clear_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = subprocess.run(
            [CLARY, "up", "--detach", "--data-dir", tmp_path / "d", "--port", str(port)],
            capture_output=True,
            text=True,
            check=False,
        )
    assert refused.returncode == 1
    assert refused.stderr == (
        f"clary: Port {port} is taken by another program. Choose another with `clary up --port PORT`.\n"
    )


def test_in_the_foreground_it_says_what_to_do_and_ctrl_c_ends_it(tmp_path):
    port = free_port()
    command = [CLARY, "up", "--data-dir", tmp_path / "d", "--port", str(port)]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = [running.stdout.readline() for _ in range(4)]
    assert said[0].startswith(f"Clary 0.1.0 is ready at http://127.0.0.1:{port} (")
    assert 'eval "$(clary env' in said[3]
    running.send_signal(signal.SIGINT)
    assert running.wait(60) == 0
    running.stdout.close()
    with socket.create_server(("127.0.0.1", port)):
        pass  # the port is free again


def test_down_and_status_say_where_nothing_runs(tmp_path):
    def said(*arguments):
        return subprocess.run([CLARY, *arguments, "--data-dir", tmp_path], capture_output=True, text=True, check=False)

    assert said("down").stderr == f"clary: No Clary runs on {tmp_path}.\n"
    assert said("status").stdout.startswith(f"No Clary runs on {tmp_path}.")
    assert json.loads(said("status", "--json").stdout)["running"] is False


def test_status_of_a_running_clary(clary):
    said = json.loads(clary.run("status", "--json").stdout)
    assert said["running"] is True
    assert said["endpoint"] == clary.endpoint_url
    assert said["status"] == "ready"
    assert f"at {clary.endpoint_url}: ready" in clary.run("status").stdout


def test_down_leaves_no_process_and_no_open_port(clary):
    pids = [clary.process(name) for name in ("supervisor", "edge", "control", "launcher")]
    clary.down()
    assert not [pid for pid in pids if alive(pid)]
    clary.up()


def test_everything_goes_when_the_supervisor_is_killed_and_up_takes_it_up_again(clary):
    clary.client("s3").create_bucket(Bucket="kept")
    pids = [clary.process(name) for name in ("edge", "control", "launcher")]
    clary.kill("supervisor")
    clary.up()
    assert [b["Name"] for b in clary.client("s3").list_buckets()["Buckets"]] == ["kept"]
    wait_until(lambda: not [pid for pid in pids if alive(pid)], 60, "the old processes are gone")


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Load:
    """Requests from one thread until `stop`, each a moment after the answer to the one before: how they went."""

    def __init__(self, ask) -> None:
        self._ask, self._over = ask, threading.Event()
        self.ok = 0
        self.failed: list[Exception] = []

    def __enter__(self):
        self._pool = concurrent.futures.ThreadPoolExecutor(1)
        self._running = self._pool.submit(self._go_on)
        return self

    def __exit__(self, *_):
        self._over.set()
        self._running.result(60)
        self._pool.shutdown()

    def _go_on(self):
        while not self._over.is_set():
            try:
                self._ask()
                self.ok += 1
            except (BotoCoreError, ClientError) as error:
                self.failed.append(error)
            self._over.wait(THINKS)

    def more(self, count=5):
        """Wait until so many more have gone well."""
        target = self.ok + count
        wait_until(lambda: self.ok >= target, 60, f"{count} more answers ({self.failed[-1:]})")


def test_reads_go_on_while_control_is_killed_and_writes_wait_for_it(clary):
    s3 = clary.client("s3")
    s3.create_bucket(Bucket="bbb")
    s3.put_object(Bucket="bbb", Key="k", Body=b"kept")
    sagemaker, container = clary.client("sagemaker"), {"Image": SKLEARN}
    sagemaker.create_model(ModelName="kept", ExecutionRoleArn=clary.role_arn, PrimaryContainer=container)
    numbers = iter(range(10**6))

    def read():
        assert s3.get_object(Bucket="bbb", Key="k")["Body"].read() == b"kept"
        assert sagemaker.describe_model(ModelName="kept")["PrimaryContainer"]["Image"] == SKLEARN

    with Load(read) as reads:
        written = clary.client("s3")
        with Load(lambda: written.put_object(Bucket="bbb", Key=f"n{next(numbers)}", Body=b"x")) as writes:
            for _ in range(3):
                writes.more()
                reads.more()
                clary.kill("control")
            writes.more()
    assert reads.failed == []
    assert len([error for error in writes.failed if not nobody_there(error)]) <= 3  # what control had in its hands
    listed = [o["Key"] for page in s3.get_paginator("list_objects_v2").paginate(Bucket="bbb") for o in page["Contents"]]
    assert len(listed) >= writes.ok + 1


def nobody_there(error) -> bool:
    """Whether it was refused since control took longer to start than a call waits for it, as a busy machine's does."""
    return "The service is starting; please try again." in str(error)


def test_a_killed_edge_refuses_nobody(clary):
    def connects():
        with socket.create_connection(("127.0.0.1", clary.port), timeout=60) as connection:
            connection.sendall(b"GET /_clary/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            return connection.recv(12)

    for _ in range(3):
        clary.kill("edge")
        assert connects() == b"HTTP/1.1 200"


def test_a_killed_launcher_comes_back(clary):
    before = clary.process("launcher")
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: process_of(clary, "launcher") not in (None, before), 60, "another launcher")
    assert get(clary, "/_clary/health")[0] == 200


def test_an_edge_that_is_killed_while_models_are_asked_loses_only_what_it_had_in_hand(clary):
    jobs = Jobs(clary)
    jobs.deploy("asked")
    with Load(lambda: jobs.ask("asked")) as asked:
        for _ in range(3):
            asked.more()
            clary.kill("edge")
        asked.more()
    assert len(asked.failed) <= 3


def test_models_are_asked_while_control_is_killed(clary):
    jobs = Jobs(clary)
    jobs.deploy("asked")
    with Load(lambda: jobs.ask("asked")) as asked:
        for _ in range(3):
            asked.more(20)
            wait_until(lambda: clary.runs("control"), 60, "control is there again")
            clary.kill("control")
        asked.more(20)
    assert asked.failed == []


def process_of(clary, name):
    try:
        return clary.process(name)
    except LookupError:
        return None


def test_reset_is_refused_unless_it_was_allowed(new):
    assert get(new, "/_clary/reset", method="POST")[0] == 403
    assert new.run("reset", check=False).stderr.startswith("clary: This Clary keeps its data")


def test_reset_empties_everything_and_keeps_the_keys(shared):
    s3, iam = shared.client("s3"), shared.client("iam")
    s3.create_bucket(Bucket="gone")
    s3.put_object(Bucket="gone", Key="k", Body=b"x" * 2000)
    iam.create_user(UserName="gone")
    assert get(shared, "/_clary/reset", method="GET")[0] == 405
    shared.run("reset")
    assert s3.list_buckets()["Buckets"] == []
    assert iam.list_users()["Users"] == []
    assert [role["RoleName"] for role in iam.list_roles()["Roles"]] == ["ClaryExecutionRole"]
    assert shared.client("sts").get_caller_identity()["Arn"].endswith(":assumed-role/ClaryExecutionRole/clary")


def test_a_shell_fetches_credentials_and_nobody_without_its_token(shared):
    variables = shared.variables
    path = variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"].removeprefix(shared.endpoint_url)
    status, found = get(shared, path, {"Authorization": variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"]})
    assert status == 200
    assert set(found) >= {"AccessKeyId", "SecretAccessKey", "Token", "Expiration"}
    assert get(shared, path)[0] == 403
    assert get(shared, path, {"Authorization": "made up"})[0] == 403
    other = {"Authorization": variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"]}
    assert get(shared, "/_clary/credentials/ASIAOTHER", other)[0] == 403


def test_fetched_credentials_are_the_default_identity(shared):
    script = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"
    environment = {name: value for name, value in shared.environment.items() if name != "PYTHONPATH"}
    python = str(Path(CLARY).parent / "python")
    said = subprocess.run([python, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "arn:aws:sts::000000000000:assumed-role/ClaryExecutionRole/clary"


def test_coverage_names_what_is_offered(tmp_path):
    said = subprocess.run([CLARY, "coverage", "--json"], capture_output=True, text=True, check=True)
    found = json.loads(said.stdout)
    assert found["sagemaker"]["CreateTrainingJob"] == "executes"
    assert found["bedrock"]["CreateGuardrail"] == "not offered"


def test_a_data_folder_that_cannot_be_used_is_one_clear_line():
    command = [CLARY, "up", "--detach", "--port", "0", "--data-dir", "/proc/clary"]
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert refused.stderr.startswith("clary: The data folder /proc/clary cannot be used: ")
    assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", [["up", "--account-id", "12"], ["up", "--auth", "maybe"], ["logs", "nothing"]])
def test_what_a_person_can_mend_is_one_line(tmp_path, arguments):
    command = [CLARY, *arguments, "--data-dir", tmp_path]
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert refused.stderr.startswith("clary: ")
    assert refused.stderr.count("\n") == 1


def test_down_leaves_containers_at_work_and_down_all_ends_them(clary):
    jobs = Jobs(clary)
    jobs.reached(jobs.start("long", "import time\ntime.sleep(600)"), "Training")
    wait_until(lambda: get(clary, "/_clary/status")[1]["containers"] == 1, 60, "it runs")
    assert "1 container still at work" in clary.run("down").stdout
    assert clary.run("down", "--all").stdout == "1 container ended.\n"
    assert clary.run("down", check=False).returncode == 1
    clary.up()
    assert jobs.ended("long")["TrainingJobStatus"] == "Failed"
