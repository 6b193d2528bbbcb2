"""`train` of TensorFlow's images: a user's script, with `TF_CONFIG` where several hosts train together
(`python -m clary.toolkit.tensorflow.train`)."""

from __future__ import annotations

import json
import os
import socket
import time
from pathlib import Path
from typing import List, NoReturn

from clary.toolkit.environment import TrainingEnvironment
from clary.toolkit.logs import get_logger
from clary.toolkit.tensorflow import cluster, parameter_server
from clary.toolkit.train import guarded, leave, run_script

_MIRRORED = "sagemaker_multi_worker_mirrored_strategy_enabled"
_SERVERS = "sagemaker_parameter_server_enabled"
_TUNED = "_tuning_objective_metric"
_LOOK_SECONDS = 1.0

_NOT_NUMERIC = (
    "Your model will NOT be servable with SageMaker TensorFlow Serving containers."
    ' The SavedModel bundle is under directory "%s", not a numeric name.'
)
_NO_MODEL = (
    "No model artifact is saved under path %s. Your training job will not save any model files to S3.\n"
    "For details of how to construct your training script see:\n"
    "https://sagemaker.readthedocs.io/en/stable/using_tf.html#adapting-your-local-tensorflow-script"
)
_NO_BUNDLE = (
    "Your model will NOT be servable with SageMaker TensorFlow Serving container."
    " The model artifact was not saved in the TensorFlow SavedModel directory structure:\n"
    "https://www.tensorflow.org/guide/saved_model#structure_of_a_savedmodel_directory"
)


def main() -> NoReturn:
    """Run the user's script as `/opt/ml` says, and end the process."""
    leave(guarded(run))


def run(environment: TrainingEnvironment) -> None:
    """Tell the script of its cluster, run it, and say whether its model can be served."""
    _name_model_dir(environment)
    hosts, frameworks = _hosts(environment), environment.hyperparameters.frameworks
    current = str(environment.resources["current_host"])
    if current in hosts and frameworks.get(_SERVERS) and len(hosts) > 1:
        get_logger().info("Running distributed training job with parameter servers")
        get_logger().info("Launching parameter server process")
        with parameter_server.beside(cluster.of_this_server(hosts, current)):
            _tell(cluster.of_parameter_servers(hosts, current))
            run_script(environment)
            if current != hosts[0]:
                _wait_for_master(hosts[0])
    else:
        if current in hosts and frameworks.get(_MIRRORED):
            get_logger().info("Running distributed training job with multi_worker_mirrored_strategy setup")
            _tell(cluster.of_workers(hosts, current))
        run_script(environment)
    _warn_of_model(environment.layout.model)


def _hosts(environment: TrainingEnvironment) -> List[str]:
    snapshot = environment.snapshot()
    return list(snapshot["distribution_hosts"] or snapshot["hosts"])


def _name_model_dir(environment: TrainingEnvironment) -> None:
    """The jobs of a tuning have one `model_dir` in S3: each writes below its own name."""
    users = environment.hyperparameters.users
    model_dir = str(users.get("model_dir") or "")
    tuned = _TUNED in environment.hyperparameters.toolkits
    if tuned and not model_dir.startswith("/opt/ml"):
        users["model_dir"] = f"{model_dir}/{environment.job_name}/model"
        get_logger().info("Appending the training job name to model_dir: %s", users["model_dir"])


def _tell(config: cluster.Config) -> None:
    os.environ["TF_CONFIG"] = json.dumps(config)


def _wait_for_master(host: str) -> None:
    """The master may still ask this host's server while its own part of the training goes on."""
    while True:
        try:
            socket.create_connection((host, cluster.MASTER_PORT), timeout=_LOOK_SECONDS).close()
        except OSError:
            get_logger().info("master %s is down, stopping parameter server", host)
            return
        time.sleep(_LOOK_SECONDS)


def _warn_of_model(model: Path) -> None:
    bundles = [path for name in ("saved_model.pb", "saved_model.pbtxt") for path in sorted(model.rglob(name))]
    for bundle in bundles:
        if not bundle.parent.name.isdigit() and bundle.parent != model:
            get_logger().warning(_NOT_NUMERIC, bundle.parent.name)
    if bundles:
        return
    if any(path.is_file() for path in model.rglob("*")):
        get_logger().warning(_NO_BUNDLE)
    else:
        get_logger().warning(_NO_MODEL, model)


if __name__ == "__main__":
    main()
