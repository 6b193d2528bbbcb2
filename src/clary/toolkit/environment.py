"""What a training script is told of its surroundings: the `SM_*` variables
(https://github.com/aws/sagemaker-training-toolkit, ENVIRONMENT_VARIABLES.md)."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
from typing import Any, Dict, List, Mapping, Optional

from clary.toolkit import hyperparameters
from clary.toolkit.layout import Layout

_HOMOGENEOUS = "homogeneousCluster"
_DISTRIBUTIONS = (
    "sagemaker_mpi_enabled",
    "sagemaker_parameter_server_enabled",
    "sagemaker_distributed_dataparallel_enabled",
    "sagemaker_pytorch_ddp_enabled",
    "sagemaker_pytorch_xla_multi_worker_enabled",
    "sagemaker_multi_worker_mirrored_strategy_enabled",
    "sagemaker_torch_distributed_enabled",
)
_GPU_SECONDS = 10.0


class TrainingEnvironment:
    """A snapshot of the contract's files and of the process's environment.

    Raises ValueError where a file of the contract is not JSON, KeyError where resourceconfig.json lacks its hosts.
    """

    def __init__(self, layout: Layout, environ: Mapping[str, str]) -> None:
        self.layout = layout
        self.hyperparameters = hyperparameters.split(layout.read_config("hyperparameters.json"))
        self.resources = layout.read_config("resourceconfig.json") or {"current_host": "algo-1", "hosts": ["algo-1"]}
        self.channels = layout.read_config("inputdataconfig.json")
        toolkits = self.hyperparameters.toolkits
        self.program: Optional[str] = environ.get("SAGEMAKER_PROGRAM") or toolkits.get("sagemaker_program")
        self.module_dir = str(
            toolkits.get("sagemaker_submit_directory") or environ.get("SAGEMAKER_SUBMIT_DIRECTORY") or layout.code
        )
        self.region = str(toolkits.get("sagemaker_region") or environ.get("AWS_REGION") or "")
        self.log_level = int(
            toolkits.get("sagemaker_container_log_level")
            or environ.get("SAGEMAKER_CONTAINER_LOG_LEVEL")
            or logging.INFO
        )
        self.job_name = environ.get("TRAINING_JOB_NAME") or str(toolkits.get("sagemaker_job_name") or "")
        self.framework_module = environ.get("SAGEMAKER_TRAINING_MODULE")
        self.gpus = _gpus()

    @property
    def arguments(self) -> List[str]:
        """The script's command line."""
        return hyperparameters.to_arguments(self.hyperparameters.users)

    @property
    def channel_dirs(self) -> Dict[str, str]:
        """Channel → the folder that holds its data."""
        return {name: str(self.layout.data / name) for name in self.channels}

    def snapshot(self) -> Dict[str, Any]:
        """What `SM_TRAINING_ENV` holds."""
        layout, program = self.layout, self.program or ""
        return {
            "additional_framework_parameters": self.hyperparameters.frameworks,
            "channel_input_dirs": self.channel_dirs,
            **self._cluster(),
            "framework_module": self.framework_module,
            "hyperparameters": self.hyperparameters.users,
            "input_config_dir": str(layout.config),
            "input_data_config": self.channels,
            "input_dir": str(layout.input),
            "job_name": self.job_name,
            "log_level": self.log_level,
            "model_dir": str(layout.model),
            "module_dir": self.module_dir,
            "module_name": _module_name(program),
            "num_cpus": os.cpu_count() or 1,
            "num_gpus": self.gpus,
            "num_neurons": 0,
            "output_data_dir": str(layout.output_data),
            "output_dir": str(layout.output),
            "output_intermediate_dir": str(layout.intermediate),
            "resource_config": self.resources,
            "user_entry_point": program or None,
        }

    def _cluster(self) -> Dict[str, Any]:
        resources = self.resources
        hosts, current = list(resources["hosts"]), resources["current_host"]
        group = resources.get("current_group_name", _HOMOGENEOUS)
        groups = {entry["instance_group_name"]: entry for entry in resources.get("instance_groups", [])}
        frameworks = self.hyperparameters.frameworks
        spread = [group] if any(frameworks.get(name) for name in _DISTRIBUTIONS) else []
        distribution_groups = frameworks.get("sagemaker_distribution_instance_groups", spread)
        distribution_hosts = [host for name in distribution_groups for host in groups.get(name, {}).get("hosts", [])]
        master = (distribution_hosts or hosts)[0]
        return {
            "current_host": current,
            "current_instance_group": group,
            "current_instance_group_hosts": groups.get(group, {}).get("hosts", []),
            "current_instance_type": resources.get("current_instance_type", "local"),
            "distribution_hosts": distribution_hosts if groups else hosts,
            "distribution_instance_groups": distribution_groups,
            "hosts": hosts,
            "instance_groups": list(groups),
            "instance_groups_dict": groups,
            "is_hetero": len(groups) > 1,
            "is_master": current == master,
            "master_hostname": master,
            "network_interface_name": resources.get("network_interface_name", "eth0"),
        }

    def variables(self) -> Dict[str, str]:
        """The `SM_*` variables, and those that the toolkit sets beside them."""
        snapshot = self.snapshot()
        values: Dict[str, Any] = {name: snapshot[name] for name in _VARIABLES}
        values.update(
            hps=snapshot["hyperparameters"],
            framework_params=snapshot["additional_framework_parameters"],
            channels=sorted(self.channels),
            user_args=self.arguments,
            training_env=snapshot,
        )
        values.update({f"channel_{name}": path for name, path in self.channel_dirs.items()})
        values.update({f"hp_{name}": value for name, value in self.hyperparameters.users.items()})
        variables = {f"SM_{name.upper()}": _text(value) for name, value in values.items()}
        variables.update(
            CURRENT_HOST=str(self.resources["current_host"]),
            SAGEMAKER_JOB_NAME=str(self.hyperparameters.toolkits.get("sagemaker_job_name") or self.job_name),
            SAGEMAKER_REGION=self.region,
        )
        return variables


_VARIABLES = (
    "hosts",
    "network_interface_name",
    "user_entry_point",
    "resource_config",
    "input_data_config",
    "output_data_dir",
    "current_host",
    "current_instance_type",
    "current_instance_group",
    "current_instance_group_hosts",
    "instance_groups",
    "instance_groups_dict",
    "distribution_instance_groups",
    "is_hetero",
    "module_name",
    "log_level",
    "framework_module",
    "input_dir",
    "input_config_dir",
    "output_dir",
    "num_cpus",
    "num_gpus",
    "num_neurons",
    "model_dir",
    "module_dir",
    "output_intermediate_dir",
)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _module_name(program: str) -> str:
    return program[:-3] if program.endswith(".py") else program


def _gpus() -> int:
    """GPUs that the container sees."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return 0
    try:
        listed = subprocess.run(
            [tool, "--list-gpus"], capture_output=True, text=True, timeout=_GPU_SECONDS, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return 0
    return sum(line.startswith("GPU ") for line in listed.splitlines())
