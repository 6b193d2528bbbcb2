"""`train`: the program of a framework image that runs a user's script (`python -m clary.toolkit.train`).

Exit code 0 where training went well; 1, and the reason in `/opt/ml/output/failure`, where it did not.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from typing import Callable, NoReturn, Optional

from clary.toolkit import entry, logs, packages, source
from clary.toolkit.environment import TrainingEnvironment
from clary.toolkit.errors import ClientError
from clary.toolkit.layout import Layout
from clary.toolkit.mpi import launcher as mpi

SUCCEEDED = 0
FAILED = 1


def main() -> NoReturn:
    """Run the user's script as `/opt/ml` says, and end the process."""
    leave(guarded(run_script))


def guarded(work: Callable[[TrainingEnvironment], None]) -> int:
    """Do the training itself; whatever goes wrong is told in the failure file and in the log."""
    layout = Layout(os.environ)
    logs.configure(logging.INFO, os.environ)
    packages.offer_public_names()
    try:
        environment = TrainingEnvironment(layout, os.environ)
        logs.get_logger().setLevel(environment.log_level)
        work(environment)
    except ClientError as error:
        return _fail(layout, str(error))
    except Exception as error:  # the last line of defence of this process: the reason is logged and told
        return _fail(layout, f"Framework Error: \n{traceback.format_exc()}\n{error}")
    logs.get_logger().info("Reporting training SUCCESS")
    layout.write_success()
    return SUCCEEDED


def run_script(environment: TrainingEnvironment, launch: Optional[entry.Launch] = None) -> None:
    """Fetch the user's sources and run them: by `launch` where there is one, by mpirun where the job asks for it."""
    if environment.framework_module:
        name = environment.framework_module.split(":")[0]
        logs.get_logger().info("Imported framework %s", name)
    if not environment.gpus:
        logs.get_logger().info("No GPUs detected (normal if no gpus installed)")
    for folder in (environment.layout.model, environment.layout.output_data):
        folder.mkdir(parents=True, exist_ok=True)
    source.prepare(environment.module_dir, environment.layout.code, os.environ)
    logs.get_logger().info("Invoking user training script.")
    cluster = mpi.cluster_of(environment)
    entry.run(environment, os.environ, launch or (mpi.MpiRun(cluster, os.environ) if cluster else None))


def leave(code: int) -> NoReturn:
    """End this process at once, all output written.

    Taking a loaded framework apart object by object costs 50 ms and more, and this process has nothing left to say:
    the script ran in a process of its own, or the algorithm has closed its files.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


def _fail(layout: Layout, reason: str) -> int:
    logs.get_logger().error("Reporting training FAILURE")
    logs.get_logger().error(reason)
    layout.write_failure(reason)
    logs.get_logger().error("Encountered exit_code %d", FAILED)
    return FAILED


if __name__ == "__main__":
    main()
