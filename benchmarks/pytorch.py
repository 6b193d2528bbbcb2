"""`python -m benchmarks.pytorch [--rounds N]`: from CreateTrainingJob to the first line of a PyTorch script, warm.

The script's first line says at what time it was reached, after `import torch`; the job begins when the client sends the
request. One round that does not count builds the environment and starts the warm parent.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.figures import Figure, ended
from tests.running import RunningClary
from tests.system.jobs import Jobs

IMAGE = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.6.0-cpu-py312"
TARGET = 0.3
SCRIPT = """\
import time
import torch
print("first-line=%.6f torch=%s" % (time.time(), torch.__version__), flush=True)
began = time.time()
model = torch.nn.Linear(8, 1)
optimizer = torch.optim.Adam(model.parameters())
model(torch.randn(16, 8)).sum().backward()
optimizer.step()
print("first-step=%.6f" % (time.time() - began), flush=True)
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pytorch", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="clary-bench-") as folder, RunningClary(Path(folder)) as clary:
        jobs = Jobs(clary)
        cold = _round(jobs, "torch-0")
        warm = [_round(jobs, f"torch-{number}") for number in range(1, rounds + 1)]
    figure = Figure(
        "CreateTrainingJob → first line of a PyTorch script, `import torch` included, warm",
        [first for first, _ in warm],
        TARGET,
    )
    print(figure.line())
    print(
        f"first job of all: {cold[0]:.2f} s; an optimizer's first step: {statistics.median(s for _, s in warm):.3f} s"
    )
    return ended([figure])


def _round(jobs: Jobs, name: str) -> tuple[float, float]:
    """Seconds from the call of CreateTrainingJob until the script's first line, and of its first step."""
    called: list[float] = []
    jobs.sagemaker.meta.events.register_first(
        "provide-client-params.sagemaker.CreateTrainingJob", lambda **_: called.append(time.time())
    )
    jobs.start(name, SCRIPT, AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"})
    job = jobs.ended(name)
    if job["TrainingJobStatus"] != "Completed":
        raise RuntimeError(f"{name}: {job.get('FailureReason')}")
    said = jobs.said(name)
    first, step = (re.findall(rf"{what}=([0-9.]+)", said)[0] for what in ("first-line", "first-step"))
    return float(first) - called[0], float(step)


if __name__ == "__main__":
    sys.exit(main())
