"""Training jobs on a started Clary: its processes killed in each phase, for one host and for two; the queue, an
interruption and a warm pool as an operator sees them."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.running import RunningClary, wait_until
from tests.system.jobs import BUCKET, ENDED, Jobs

pytestmark = [pytest.mark.system]

PAGE = (Path(__file__).parents[2] / "docs" / "training.md").read_text()
ALL = ("supervisor", "edge", "control", "launcher")
NAMESPACE = "/aws/sagemaker/TrainingJobs"
HOSTS = pytest.mark.parametrize("hosts", [1, 2], ids=["one host", "two hosts"])

WAITS = """\
import os, signal, sys, time
def stop(*_):
    print("told", flush=True)
    while not os.path.exists("/opt/ml/input/go"):
        time.sleep(0.05)
    print("saved", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
print("begun", flush=True)
while not os.path.exists("/opt/ml/input/go"):
    time.sleep(0.05)
with open(os.path.join(os.environ["SM_MODEL_DIR"], os.environ["SM_CURRENT_HOST"]), "wb") as file:
    file.write(os.urandom(1 << 20) * int(os.environ.get("MIB", "1")))
"""


@pytest.fixture(scope="module")
def jobs(shared: RunningClary) -> Jobs:
    return Jobs(shared)


def resources(hosts: int, **more: Any) -> dict[str, Any]:
    return {"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": hosts, "VolumeSizeInGB": 1, **more}}


def begun(jobs: Jobs, name: str, hosts: int) -> None:
    wait_until(lambda: heard(jobs, name).count("begun") == hosts, 60, f"{hosts} programs of {name} run")


def heard(jobs: Jobs, name: str) -> list[str]:
    """The log as far as it can be read now: soon after a start there is none, soon after a kill nobody answers."""
    try:
        return jobs.said(name).splitlines()
    except (BotoCoreError, ClientError):
        return []


def reached(jobs: Jobs, name: str, secondary: str) -> bool:
    """Whether the job is seen in that status before it ends. By the list: a Describe so soon would wait for the end."""

    def there() -> str | None:
        [job] = jobs.sagemaker.list_training_jobs(NameContains=name)["TrainingJobSummaries"]
        seen: str = job["SecondaryStatus"]
        return seen if seen == secondary or job["TrainingJobStatus"] in ENDED else None

    return bool(wait_until(there, 60, f"{name} is {secondary}") == secondary)


def let_go(jobs: Jobs) -> None:
    """Let the programs of all jobs end that run now."""
    for folder in (jobs.clary.data_dir / "run" / "containers").glob("*/bundle/input"):
        with suppress(FileNotFoundError):  # it has just ended
            (folder / "go").touch()


def kill(jobs: Jobs, *names: str) -> None:
    """kill -9, and up again where the supervisor was killed."""
    jobs.clary.kill(*names)
    if "supervisor" in names:
        jobs.clary.up()
    wait_until(lambda: answers(jobs), 60, "every operation is answered")


def answers(jobs: Jobs) -> bool:
    try:
        return bool(jobs.sagemaker.list_training_jobs()["TrainingJobSummaries"])
    except (BotoCoreError, ClientError):
        return False


def statuses(job: Any) -> list[str]:
    return [each["Status"] for each in job["SecondaryStatusTransitions"]]


KILLED = pytest.mark.parametrize("killed", [("control",), ALL], ids=["control", "everything"])


@HOSTS
@KILLED
def test_killed_while_it_starts_and_downloads(jobs: Jobs, hosts: int, killed: tuple[str, ...]) -> None:
    """Whichever of the first phases it is in: they take milliseconds."""
    name = jobs.start(f"start-{hosts}-{len(killed)}", WAITS, **resources(hosts))
    kill(jobs, *killed)
    begun(jobs, name, hosts)
    let_go(jobs)
    once(jobs, name, hosts, "Completed")


@HOSTS
@KILLED
def test_killed_while_it_trains(jobs: Jobs, hosts: int, killed: tuple[str, ...]) -> None:
    name = jobs.start(f"train-{hosts}-{len(killed)}", WAITS, **resources(hosts))
    begun(jobs, name, hosts)
    kill(jobs, *killed)
    let_go(jobs)
    once(jobs, name, hosts, "Completed")


@HOSTS
@KILLED
def test_killed_while_it_uploads(jobs: Jobs, hosts: int, killed: tuple[str, ...]) -> None:
    for attempt in range(5):  # it takes less than a second, in which this program may not be given a processor
        name = jobs.start(f"load-{hosts}-{len(killed)}-{attempt}", WAITS, **resources(hosts), Environment={"MIB": "40"})
        begun(jobs, name, hosts)
        let_go(jobs)
        if reached(jobs, name, "Uploading"):
            break
    else:
        pytest.fail("it is never seen to upload")
    kill(jobs, *killed)
    once(jobs, name, hosts, "Completed")


@HOSTS
@KILLED
def test_killed_while_it_stops(jobs: Jobs, hosts: int, killed: tuple[str, ...]) -> None:
    name = jobs.start(f"stop-{hosts}-{len(killed)}", WAITS, **resources(hosts))
    begun(jobs, name, hosts)
    jobs.sagemaker.stop_training_job(TrainingJobName=name)
    assert reached(jobs, name, "Stopping")
    kill(jobs, *killed)
    wait_until(lambda: heard(jobs, name).count("told") == hosts, 60, f"{hosts} programs of {name} are told to end")
    let_go(jobs)
    once(jobs, name, hosts, "Stopped")
    assert jobs.said(name).splitlines().count("saved") == hosts


def once(jobs: Jobs, name: str, hosts: int, status: str) -> None:
    """It has ended so, its programs have run once, and its phases followed one another once."""
    job = jobs.ended(name)
    assert job["TrainingJobStatus"] == status, job
    assert jobs.said(name).splitlines().count("begun") == hosts
    assert len(statuses(job)) == len(set(statuses(job))), statuses(job)
    if status == "Completed":
        key = f"output/{name}/output/model.tar.gz"
        assert jobs.s3.head_object(Bucket=BUCKET, Key=key)["ContentLength"] > 2**19


def test_clary_status_shows_who_runs_and_who_waits(jobs: Jobs) -> None:
    names = [jobs.start(f"queue-{number}", WAITS, **resources(2)) for number in range(3)]
    begun(jobs, names[0], 2)
    shown = wait_until(lambda: _queue(jobs) if len(_queue(jobs)) == 2 else None, 60, "two jobs wait")
    assert shown == [(names[1], "1"), (names[2], "2")]
    waiting = jobs.describe(names[1])["SecondaryStatusTransitions"][-1]
    assert waiting["Status"] == "Starting"
    assert waiting["StatusMessage"].startswith("Insufficient capacity error from EC2")
    jobs.sagemaker.stop_training_job(TrainingJobName=names[1])
    assert jobs.ended(names[1])["TrainingJobStatus"] == "Stopped"
    for name in (names[0], names[2]):
        begun(jobs, name, 2)
        let_go(jobs)
        assert jobs.ended(name)["TrainingJobStatus"] == "Completed"


def _queue(jobs: Jobs) -> list[tuple[str, str]]:
    return re.findall(r"^ +(\S+)  Starting .*, waits: number (\d)$", jobs.clary.run("status").stdout, re.MULTILINE)


RESUMES = """\
import os, signal, sys, time
step = "/opt/ml/checkpoints/step"
if os.path.exists(step):
    print("resumed from", open(step).read())
    sys.exit(0)
signal.signal(signal.SIGTERM, lambda *_: (open(step, "w").write("seven"), sys.exit(0)))
print("begun", flush=True)
while True:
    time.sleep(0.05)
"""


def test_an_operator_takes_spot_instances_away(jobs: Jobs) -> None:
    name = jobs.start(
        "my-job",
        RESUMES,
        EnableManagedSpotTraining=True,
        StoppingCondition={"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 600},
        CheckpointConfig={"S3Uri": f"s3://{BUCKET}/spot-checkpoints"},
    )
    begun(jobs, name, 1)
    assert "clary interrupt my-job\n" in PAGE
    assert "is interrupted" in jobs.clary.run("interrupt", name).stdout
    job = jobs.ended(name)
    assert job["TrainingJobStatus"] == "Completed", job
    assert "Interrupted" in statuses(job)
    assert "resumed from seven" in jobs.said(name)
    assert job["BillableTimeInSeconds"] <= job["TrainingTimeInSeconds"]
    assert "only a job that is Training" in jobs.clary.run("interrupt", name, check=False).stderr
    assert "There is no training job" in jobs.clary.run("interrupt", "nobody", check=False).stderr


def test_the_place_of_a_warm_pool_goes_to_the_next_job_like_it(jobs: Jobs) -> None:
    warm = resources(1, KeepAlivePeriodInSeconds=600)
    first = jobs.ended(jobs.start("pool-1", "print(1)", **warm))
    assert first["WarmPoolStatus"]["Status"] == "Available"
    second = jobs.ended(jobs.start("pool-2", "print(1)", **warm))
    assert jobs.describe("pool-1")["WarmPoolStatus"]["ReusedByJob"] == "pool-2"
    assert second["WarmPoolStatus"]["Status"] == "Available"
    jobs.sagemaker.update_training_job(TrainingJobName="pool-2", ResourceConfig={"KeepAlivePeriodInSeconds": 0})
    wait_until(lambda: jobs.describe("pool-2")["WarmPoolStatus"]["Status"] == "Terminated", 60, "the pool has ended")
    listed = jobs.sagemaker.list_training_jobs(WarmPoolStatusEquals="Reused")["TrainingJobSummaries"]
    assert [each["TrainingJobName"] for each in listed] == ["pool-1"]


def test_metrics_are_series_in_cloudwatch_when_the_job_has_ended(jobs: Jobs) -> None:
    algorithm = {
        "TrainingImage": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3",
        "TrainingInputMode": "File",
        "MetricDefinitions": [{"Name": "loss", "Regex": r"loss=(\S+)"}],
    }
    name = jobs.start("metrics", "print('loss=4'); print('loss=2')", AlgorithmSpecification=algorithm)
    job = jobs.ended(name)
    assert [(each["MetricName"], each["Value"]) for each in job["FinalMetricDataList"]] == [("loss", 2.0)]
    found = jobs.clary.client("cloudwatch").get_metric_statistics(
        Namespace=NAMESPACE,
        MetricName="loss",
        Dimensions=[{"Name": "TrainingJobName", "Value": name}],
        StartTime=job["CreationTime"].timestamp() - 60,
        EndTime=job["TrainingEndTime"].timestamp() + 60,
        Period=3600,
        Statistics=["Average", "SampleCount"],
    )["Datapoints"]
    assert sum(each["SampleCount"] for each in found) == 2


def test_a_job_that_computes_is_seen_to_be_busy_before_its_first_minute_is_over(jobs: Jobs) -> None:
    name = jobs.start("busy", "while True:\n    pass\n")
    metric = {"Namespace": NAMESPACE, "Dimensions": [{"Name": "Host", "Value": f"{name}/algo-1"}]}
    asked = [
        {"Id": used.lower(), "MetricStat": {"Metric": {**metric, "MetricName": used}, "Period": 60, "Stat": "Maximum"}}
        for used in ("CPUUtilization", "MemoryUtilization", "DiskUtilization")
    ]
    cloudwatch, now = jobs.clary.client("cloudwatch"), jobs.describe(name)["CreationTime"].timestamp()
    span = {"StartTime": now - 120, "EndTime": now + 600}

    def measured() -> Any:
        results = cloudwatch.get_metric_data(MetricDataQueries=asked, **span)["MetricDataResults"]
        return {each["Id"]: max(each["Values"]) for each in results} if all(each["Values"] for each in results) else {}

    found = wait_until(measured, 60, "the job has been looked at")
    jobs.sagemaker.stop_training_job(TrainingJobName=name)
    assert 0 < found["cpuutilization"] <= 200
    assert 0 < found["memoryutilization"] < 10
    assert 0 < found["diskutilization"] < 1
    statistics = {"Period": 60, "Statistics": ["Average"], "Unit": "Percent", **span}
    shown = cloudwatch.get_metric_statistics(MetricName="CPUUtilization", **metric, **statistics)["Datapoints"]
    assert {point["Unit"] for point in shown} == {"Percent"}


def test_what_the_page_on_training_shows(tmp_path: Path) -> None:
    """Its commands as they stand there, on a data folder and a port of their own."""
    lines = re.findall(r"^\$ clary (.*)$", "".join(re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)), re.MULTILINE)
    assert [line.split()[0] for line in lines] == ["up", "status", "down"]
    clary = RunningClary(tmp_path / "data")
    for line in lines:
        words = line.split() + (["--port", str(clary.port)] if line.startswith("up") else [])
        said = clary.run(*words).stdout
        if words == ["status"]:
            assert "given to jobs: 0 of 12 cores, 0.0 of 48.0 GiB" in said
