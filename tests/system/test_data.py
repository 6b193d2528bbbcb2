"""Data in and out of real jobs: every input mode side by side, checkpoints while they run, what damaged data does."""

from __future__ import annotations

import gzip
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.running import RunningClary, wait_until
from tests.system.jobs import BUCKET, Jobs

PAGE = Path(__file__).parents[2] / "docs" / "data.md"


@pytest.fixture(scope="module")
def jobs(shared: RunningClary) -> Jobs:
    return Jobs(shared)


def channel(name: str, prefix: str, **more: Any) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{prefix}", **more.pop("source", {})}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}, **more}


EVERY_MODE = """\
import json, os, pathlib
data = pathlib.Path("/opt/ml/input/data")
host = json.load(open("/opt/ml/input/config/resourceconfig.json"))["current_host"]

own = data / "file" / "1.csv"
own.write_text(own.read_text() + "changed")
(data / "file" / "new.csv").write_text("new")
os.chmod(data / "file" / "2.csv", 0o777)
os.remove(data / "file" / "deep" / "3.csv")

assert (data / "fast" / "1.csv").read_text() == "one"
for change in (lambda p: p.write_text("x"), lambda p: p.chmod(0o777), lambda p: p.unlink(), lambda p: os.utime(p)):
    try:
        change(data / "fast" / "1.csv")
        raise SystemExit("FastFile can be written to")
    except OSError:
        pass

first, second = ((data / f"pipe_{epoch}").read_bytes() for epoch in (0, 1))
assert first == second == b"unpacked", first
shard = sorted(os.listdir(data / "shard"))
print("shard of", host, shard)
pathlib.Path(f"/opt/ml/model/{host}.txt").write_text(",".join(shard))
"""


def test_every_input_mode_on_two_hosts_and_the_objects_stay_as_they_are(jobs: Jobs) -> None:
    contents = {"modes/1.csv": b"one", "modes/2.csv": b"two", "modes/deep/3.csv": b"three"}
    for key, body in {**contents, "zipped/a.gz": gzip.compress(b"unpacked")}.items():
        jobs.s3.put_object(Bucket=BUCKET, Key=key, Body=body)
    sharded = {"S3DataDistributionType": "ShardedByS3Key"}
    channels = [
        channel("file", "modes/"),
        channel("fast", "modes/", InputMode="FastFile"),
        channel("pipe", "zipped/", InputMode="Pipe", CompressionType="Gzip"),
        channel("never_opened", "modes/", InputMode="Pipe"),
        channel("shard", "modes/", source=sharded),
    ]
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
    name = jobs.start("every-mode", EVERY_MODE, InputDataConfig=channels, ResourceConfig=resources)
    assert jobs.ended(name)["TrainingJobStatus"] == "Completed", jobs.describe(name).get("FailureReason")
    said = jobs.said(name)
    assert "shard of algo-1 ['1.csv', 'deep']" in said
    assert "shard of algo-2 ['2.csv']" in said
    assert {key: jobs.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in contents} == contents


WITHOUT_SANDBOX = """\
import os
data = os.path.join(os.environ["SAGEMAKER_BASE_DIR"], "input", "data")
for name in ("file", "fast"):
    with open(os.path.join(data, name, "1.csv"), "a") as file:
        file.write("changed")
print("piped", open(os.path.join(data, "pipe_0")).read(), open(os.path.join(data, "pipe_1")).read())
"""


def test_without_a_sandbox_the_objects_stay_as_they_are_too(tmp_path: Path) -> None:
    with RunningClary(tmp_path / "data", "--unconfined") as clary:
        jobs = Jobs(clary)
        jobs.s3.put_object(Bucket=BUCKET, Key="modes/1.csv", Body=b"one")
        modes = {"file": "File", "fast": "FastFile", "pipe": "Pipe"}
        channels = [channel(name, "modes/", InputMode=mode) for name, mode in modes.items()]
        name = jobs.start("unconfined", WITHOUT_SANDBOX, InputDataConfig=channels)
        assert jobs.ended(name)["TrainingJobStatus"] == "Completed", jobs.describe(name).get("FailureReason")
        assert "piped one one" in jobs.said(name)


CHECKPOINTS = """\
import pathlib, time
folder = pathlib.Path("/opt/ml/checkpoints")
found = sorted(path.name for path in folder.iterdir())
print("found", found)
if not found:
    (folder / "1.pt").write_text("one")
    while True:
        time.sleep(1)
"""


def test_checkpoints_are_in_s3_while_the_job_runs_and_come_back(jobs: Jobs) -> None:
    config = {"CheckpointConfig": {"S3Uri": f"s3://{BUCKET}/kept/ck"}}
    name = jobs.start("checkpoints", CHECKPOINTS, **config)

    def there() -> Any:
        return jobs.s3.list_objects_v2(Bucket=BUCKET, Prefix="kept/").get("Contents")

    assert [found["Key"] for found in wait_until(there, 60, "the checkpoint is in S3")] == ["kept/ck/1.pt"]
    assert jobs.describe(name)["SecondaryStatus"] == "Training"
    jobs.sagemaker.stop_training_job(TrainingJobName=name)
    assert jobs.ended(name)["TrainingJobStatus"] == "Stopped"
    again = jobs.start("checkpoints-again", CHECKPOINTS, **config)
    assert jobs.ended(again)["TrainingJobStatus"] == "Completed"
    assert "found ['1.pt']" in jobs.said(again)


def test_a_program_that_reads_damaged_data_fails_with_the_reason(jobs: Jobs) -> None:
    jobs.s3.put_object(Bucket=BUCKET, Key="damaged/a.gz", Body=gzip.compress(os.urandom(10**6))[:-1000])
    channels = [channel("train", "damaged/", InputMode="Pipe", CompressionType="Gzip")]
    name = jobs.start("damaged", "open('/opt/ml/input/data/train_0', 'rb').read()", InputDataConfig=channels)
    reason = jobs.ended(name)["FailureReason"]
    assert reason.startswith("ClientError: Data download failed: channel train: s3://system-tests/damaged/a.gz")


def test_the_programs_of_the_page_on_data(shared: RunningClary, tmp_path: Path) -> None:
    """docs/data.md as it stands: its first program is the job's, the others are one notebook."""
    train, *cells = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (tmp_path / "train.py").write_text(train)
    (tmp_path / "notebook.py").write_text("\n".join(cells))
    command = [sys.executable, "notebook.py"]
    done = subprocess.run(
        command, cwd=tmp_path, env=shared.environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    shown = re.findall(r"```text\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert done.stdout == "".join(shown)
