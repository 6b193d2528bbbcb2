"""`use_dask_gpu_training`: AWS spreads the data over all GPUs by Dask; here each host boosts its share on one GPU,
and the hosts boost together as they always do. What AWS refuses is refused."""

from __future__ import annotations

import logging
from typing import List, Optional

from clary.algorithms.xgboost import channels
from clary.algorithms.xgboost.data import Data, Matrix
from clary.algorithms.xgboost.settings import Settings
from clary.toolkit.environment import TrainingEnvironment
from clary.toolkit.errors import UserError

logger = logging.getLogger(__name__)

_METHOD = "gpu_hist"
_FORMATS = (channels.CSV, channels.PARQUET)


def check(wanted: Settings, environment: TrainingEnvironment) -> None:
    """Raises UserError, naming everything that stands against it."""
    faults = _faults(wanted, environment)
    if faults:
        raise UserError(f"Some configurations unsuitable for Dask GPU training were found: {'. '.join(faults)}")
    if environment.gpus > 1:
        logger.warning("One of %d GPUs is used.", environment.gpus)


def _faults(wanted: Settings, environment: TrainingEnvironment) -> List[str]:
    faults = []
    train = environment.channels["train"]
    if wanted.parameters.get("tree_method") != _METHOD or not environment.gpus:
        faults.append("Dask training is only available for `gpu_hist` training on GPU instances.")
    if channels.is_pipe(train):
        faults.append("Dask training is not supported for pipe mode input. Please use File mode.")
    if channels.kind_of(train.get("ContentType")) not in _FORMATS:
        faults.append("Dask training is only supported for CSV and Parquet input.")
    whole = all(channel.get("S3DistributionType") == "FullyReplicated" for channel in environment.channels.values())
    if not whole and len(environment.resources["hosts"]) > 1:
        faults.append("Dask distributed training requires FullyReplicated data.")
    return faults


def share(found: Data, environment: TrainingEnvironment) -> Data:
    """This host's rows: every host was given all of them."""
    hosts = sorted(environment.resources["hosts"])
    place = hosts.index(environment.resources["current_host"])

    def part(matrix: Optional[Matrix]) -> Optional[Matrix]:
        return matrix if matrix is None else matrix.slice(list(range(place, matrix.num_row(), len(hosts))))

    return Data(part(found.train), part(found.validation), part(found.whole))
