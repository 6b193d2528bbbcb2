"""Workloads that benchmarks and recommendations of generative models are made for: kept. The jobs that would use one
are refused (`unmade_jobs.py`)
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateAIWorkloadConfig.html)."""

from __future__ import annotations

from clary.services.declaring import declare
from clary.services.resources import Resource
from clary.services.sagemaker.kept_errors import does_not_exist, in_use
from clary.services.sagemaker.service import SERVICE

WORKLOAD = Resource(
    kind="ai-workload-config",
    noun="AIWorkloadConfig",
    list_member="AIWorkloadConfigs",
    exists=in_use("AIWorkloadConfig"),
    missing=does_not_exist("AIWorkloadConfig"),
)

declare(SERVICE, WORKLOAD, effect="keeps state")
