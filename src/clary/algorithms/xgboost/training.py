"""One training job of built-in XGBoost: what is asked for, the data, the boosting on one host or several, the model."""

from __future__ import annotations

import logging
import pickle
from pathlib import Path
from typing import Any, List, Optional, Sequence

from clary.algorithms.xgboost import channels, cluster, data, gpus, settings
from clary.algorithms.xgboost.boosting import Place, boost
from clary.algorithms.xgboost.data import Data
from clary.algorithms.xgboost.folds import cross_validate, model_of_fold
from clary.algorithms.xgboost.names import MODEL, writes_pickles
from clary.algorithms.xgboost.settings import Settings
from clary.toolkit.environment import TrainingEnvironment
from clary.toolkit.errors import UserError
from clary.toolkit.layout import Layout

logger = logging.getLogger(__name__)

Booster = Any

_DOCUMENTATION = "https://docs.aws.amazon.com/sagemaker/latest/dg/xgboost.html"
_DIVIDE = f"See {_DOCUMENTATION}#Instance-XGBoost-distributed-training-divide-data."


def train(environment: TrainingEnvironment, image: str) -> None:
    """Train as the contract's files say and write the model. Raises UserError or AlgorithmError."""
    wanted = settings.read(environment)
    channels.check_channels(environment.channels)
    if wanted.dask:
        gpus.check(wanted, environment)
    found = data.read(environment, weights=wanted.weights, combine=wanted.folds is not None)
    if wanted.dask:
        found = gpus.share(found, environment)
    hosts, current = list(environment.resources["hosts"]), str(environment.resources["current_host"])
    if len(hosts) > 1:
        boosters = _on_several(wanted, found, environment, hosts, current)
    else:
        _check_presence(found, environment)
        logger.info("Single node training.")
        boosters = _boosters(wanted, found, environment.layout, is_master=True)
    _save(boosters, environment.layout.model, pickled=writes_pickles(image), several=wanted.folds is not None)


def _check_presence(found: Data, environment: TrainingEnvironment) -> None:
    folder = environment.layout.data
    if found.train is None:
        raise UserError(f"No data in training channel path {folder / 'train'}")
    if found.validation is None and "validation" in environment.channels:
        raise UserError(f"No data in validation channel path {folder / 'validation'}")


def _on_several(
    wanted: Settings, found: Data, environment: TrainingEnvironment, hosts: Sequence[str], current: str
) -> List[Booster]:
    """Boosters on the host that keeps the model; none on the others."""
    logger.info("Distributed node training with %d hosts: %s", len(hosts), list(hosts))
    takes_part = _takes_part(found, environment, current)
    members = cluster.members(hosts, current, takes_part=takes_part)
    if not members:
        raise UserError("No hosts received training data.")
    if not takes_part:
        logger.warning("Host %s not being used for distributed training.", current)
        return []
    with cluster.joined(members, current) as is_master:
        boosters = _boosters(wanted, found, environment.layout, is_master=is_master)
    return boosters if is_master else []


def _takes_part(found: Data, environment: TrainingEnvironment, current: str) -> bool:
    missing = []
    if found.train is None:
        missing.append("training")
    if found.validation is None and "validation" in environment.channels:
        missing.append("validation")
    for name in missing:
        logger.warning(
            "Host %s does not have %s data. Will broadcast to cluster and this host %s will not be used in "
            "distributed training. Please divide the %s data across instances properly. %s",
            current,
            name,
            current,
            name,
            _DIVIDE,
        )
    return not missing


def _boosters(wanted: Settings, found: Data, layout: Layout, *, is_master: bool) -> List[Booster]:
    _describe(found)
    place = Place(layout.model / MODEL, _checkpoints(layout), is_master)
    if wanted.folds is not None:
        return cross_validate(wanted, found.whole, place, layout.output_data)
    return [boost(wanted, found.train, found.validation, place, {})]


def _describe(found: Data) -> None:
    if found.train is not None:
        logger.info("Train matrix has %d rows and %d columns", found.train.num_row(), found.train.num_col())
    if found.validation is not None:
        logger.info("Validation matrix has %d rows", found.validation.num_row())


def _checkpoints(layout: Layout) -> Optional[Path]:
    path = layout.read_config("checkpointconfig.json").get("LocalPath")
    return Path(path) if path else None


def _save(boosters: Sequence[Booster], folder: Path, *, pickled: bool, several: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, booster in enumerate(boosters):
        path = model_of_fold(folder / MODEL, number) if several else folder / MODEL
        path.write_bytes(pickle.dumps(booster, protocol=4) if pickled else booster.save_raw())
