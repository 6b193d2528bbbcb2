"""Batch transform of a million rows with built-in XGBoost: `python -m benchmarks.transform [--rows N]`.

Beside it `predict` on the same file in one process of the same environment: read, predict, write, with nothing else.
Both in one run, alternating; medians and their ratio.
"""

from __future__ import annotations

import argparse
import io
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

from benchmarks.figures import Figure, ended
from clary.images.catalogue import Catalogue
from clary.images.environments import Environments
from clary.settings import default_cache_dir
from tests.running import RunningClary, wait_until

XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
BUCKET = "bench"
COLUMNS = 13
SECONDS = 600

TRAIN = """
import sys
import numpy as np, xgboost as xgb
rows, folder = int(sys.argv[1]), sys.argv[2]
rng = np.random.default_rng(0)
x = rng.normal(size=(20000, {columns})); y = x @ rng.normal(size={columns}) + np.sin(x[:, 0])
model = xgb.train({{"max_depth": 5, "eta": 0.2, "objective": "reg:squarederror"}}, xgb.DMatrix(x, y), 100)
model.save_model(folder + "/xgboost-model.json")
import pickle
with open(folder + "/xgboost-model", "wb") as file:
    pickle.dump(model, file)
np.savetxt(folder + "/rows.csv", rng.normal(size=(rows, {columns})), delimiter=",", fmt="%.4f")
"""

PREDICT = """
import sys, time
began = time.perf_counter()
import numpy as np, pandas as pd, xgboost as xgb
folder = sys.argv[1]
model = xgb.Booster(); model.load_model(folder + "/xgboost-model.json")
began = time.perf_counter()
rows = pd.read_csv(folder + "/rows.csv", header=None, dtype=np.float32).values
answers = model.predict(xgb.DMatrix(rows))
with open(folder + "/answers", "w") as file:
    file.write("\\n".join(map(str, answers.tolist())) + "\\n")
print(time.perf_counter() - began)
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.transform", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    python = Environments(default_cache_dir()).build(Catalogue().resolve(XGBOOST).environment, print)
    with tempfile.TemporaryDirectory() as name, RunningClary(Path(name) / "data") as clary:
        folder = Path(name)
        subprocess.run([python, "-c", TRAIN.format(columns=COLUMNS), str(arguments.rows), name], check=True)
        bench = _Bench(clary, folder)
        alone, ours = [], []
        for number in range(arguments.rounds):
            done = subprocess.run([python, "-c", PREDICT, name], check=True, capture_output=True, text=True)
            alone.append(float(done.stdout))
            ours.append(bench.transform(number))
        bench.compare()
    reading, transforming = statistics.median(alone), statistics.median(ours)
    print(f"predict in one process   {reading:6.2f} s   {arguments.rows / reading:10,.0f} rows/s")
    print(f"batch transform          {transforming:6.2f} s   {arguments.rows / transforming:10,.0f} rows/s")
    title = f"batch transform of {arguments.rows:,} rows: rows in a second over predict's"
    figure = Figure(title, [reading / transforming], 0.6, "×", is_least=True)
    print(figure.line())
    return ended([figure])


class _Bench:
    def __init__(self, clary: RunningClary, folder: Path) -> None:
        self._sagemaker, self._s3 = clary.client("sagemaker"), clary.client("s3")
        self._folder = folder
        self._s3.create_bucket(Bucket=BUCKET)
        self._s3.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=_packed(folder / "xgboost-model"))
        self._s3.upload_file(str(folder / "rows.csv"), BUCKET, "in/rows.csv")
        container = {"Image": XGBOOST, "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz"}
        self._sagemaker.create_model(ModelName="m", ExecutionRoleArn=clary.role_arn, PrimaryContainer=container)

    def transform(self, number: int) -> float:
        """Seconds from CreateTransformJob until Completed is seen."""
        name = f"bench-{number}"
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/in/rows.csv"}
        began = time.perf_counter()
        self._sagemaker.create_transform_job(
            TransformJobName=name,
            ModelName="m",
            BatchStrategy="MultiRecord",
            TransformInput={
                "DataSource": {"S3DataSource": source},
                "ContentType": "text/csv",
                "SplitType": "Line",
            },
            TransformOutput={"S3OutputPath": f"s3://{BUCKET}/out-{number}", "AssembleWith": "Line"},
            TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
        )
        job = wait_until(lambda: self._over(name), SECONDS, f"{name} has ended")
        took = time.perf_counter() - began
        if job["TransformJobStatus"] != "Completed":
            raise RuntimeError(job)
        return took

    def compare(self) -> None:
        """Both have the same answers."""
        body = self._s3.get_object(Bucket=BUCKET, Key="out-0/rows.csv.out")["Body"].read()
        ours, theirs = (
            [float(line) for line in text.split()] for text in (body.decode(), (self._folder / "answers").read_text())
        )
        if len(ours) != len(theirs) or max(abs(a - b) for a, b in zip(ours, theirs, strict=True)) > 1e-4:
            raise RuntimeError("the answers differ")

    def _over(self, name: str) -> dict[str, object] | None:
        job: dict[str, object] = self._sagemaker.describe_transform_job(TransformJobName=name)
        return job if job["TransformJobStatus"] != "InProgress" else None


def _packed(path: Path) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        archive.add(path, arcname=path.name)
    return made.getvalue()


if __name__ == "__main__":
    sys.exit(main())
