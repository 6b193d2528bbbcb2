"""What tests ask of the tunings of a started Clary: script-mode jobs that print what their hyperparameters say."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.running import wait_until
from tests.system.jobs import BUCKET, SKLEARN, Jobs, packed

ENDED = ("Completed", "Failed", "Stopped")
TUNING_SECONDS = 120

PRINTS = """\
import argparse, sys
parser = argparse.ArgumentParser()
parser.add_argument("--rate", type=float)
parser.add_argument("--wrong", default="no")
given = parser.parse_args()
print("begun", flush=True)
if given.wrong != "no":
    sys.exit(given.wrong)
print("loss=%f" % (given.rate - 0.3) ** 2, flush=True)
"""

LOSS = {"Name": "loss", "Regex": "loss=([-+0-9.e]+)"}
RATE = {"ContinuousParameterRanges": [{"Name": "rate", "MinValue": "0", "MaxValue": "1"}]}


@dataclass
class Tunings:
    """Tunings of one Clary, whose training jobs run a script."""

    jobs: Jobs

    @property
    def api(self) -> Any:
        return self.jobs.sagemaker

    def definition(self, script: str = PRINTS, **changes: Any) -> dict[str, Any]:
        """A TrainingJobDefinition; `StaticHyperParameters` are added to those that name the script."""
        self.jobs.s3.put_object(Bucket=BUCKET, Key=f"{hash(script)}.tar.gz", Body=packed({"train.py": script}))
        static = {
            "sagemaker_program": json.dumps("train.py"),
            "sagemaker_submit_directory": json.dumps(f"s3://{BUCKET}/{hash(script)}.tar.gz"),
            **changes.pop("StaticHyperParameters", {}),
        }
        algorithm = {"TrainingImage": SKLEARN, "TrainingInputMode": "File", "MetricDefinitions": [LOSS]}
        return {
            "StaticHyperParameters": static,
            "AlgorithmSpecification": algorithm,
            "RoleArn": self.jobs.role,
            "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/output"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
            **changes,
        }

    def start(self, name: str, definition: dict[str, Any], jobs: int = 4, parallel: int = 2, **config: Any) -> str:
        """Create a tuning; its name."""
        more = {member: config.pop(member) for member in ("WarmStartConfig", "Tags") if member in config}
        asked = {
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": jobs, "MaxParallelTrainingJobs": parallel},
            "ParameterRanges": RATE,
            "RandomSeed": 7,
            **config,
        }
        self.api.create_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=name,
            HyperParameterTuningJobConfig=asked,
            TrainingJobDefinition=definition,
            **more,
        )
        return name

    def describe(self, name: str) -> Any:
        return self.api.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)

    def ended(self, name: str) -> Any:
        """Wait until the tuning has ended, however."""

        def there() -> Any:
            tuning = self.describe(name)
            return tuning if tuning["HyperParameterTuningJobStatus"] in ENDED else None

        return wait_until(there, TUNING_SECONDS, f"{name} has ended")

    def training_jobs(self, name: str, **asked: Any) -> list[Any]:
        """All of a tuning, page by page."""
        pages = self.api.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job").paginate(
            HyperParameterTuningJobName=name, **asked
        )
        return [job for page in pages for job in page["TrainingJobSummaries"]]
