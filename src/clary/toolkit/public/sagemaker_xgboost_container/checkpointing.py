"""`checkpointing`: a script's `xgboost.train` that goes on where it was interrupted."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, Optional, Tuple

import xgboost

from clary.algorithms.xgboost import rounds
from clary.algorithms.xgboost.rounds import CHECKPOINT as CHECKPOINT_FILENAME

__all__ = ["CHECKPOINT_FILENAME", "load_checkpoint", "save_checkpoint", "train"]

Booster = Any
Callback = Any
_ROUNDS = 10
"""xgboost.train's own default."""


def train(train_args: Dict[str, Any], checkpoint_dir: str) -> Booster:
    """`xgboost.train(**train_args)`, begun at the newest checkpoint; a checkpoint and a line of metrics each round."""
    start, done = load_checkpoint(checkpoint_dir)
    plan = rounds.Plan(checkpoints=Path(checkpoint_dir), first_round=done)
    own = {
        "num_boost_round": train_args.get("num_boost_round", _ROUNDS) - done,
        "callbacks": [*train_args.get("callbacks", ()), *rounds.callbacks(plan)],
        "xgb_model": start,
        "verbose_eval": False,
    }
    return xgboost.train(**{**train_args, **own})


def load_checkpoint(checkpoint_dir: Optional[str], max_try: int = 5) -> Tuple[Optional[str], int]:
    """The newest checkpoint's path and the rounds that it holds; (None, 0) where there is none."""
    path, done = rounds.latest_checkpoint(Path(checkpoint_dir) if checkpoint_dir else None)
    return (str(path) if path else None), done


def save_checkpoint(checkpoint_dir: str, start_iteration: int = 0, **_others: object) -> Callback:
    """A callback for `xgboost.train` that writes `xgboost-checkpoint.N` after each round and keeps the last five."""
    plan = rounds.Plan(reports=False, checkpoints=Path(checkpoint_dir), first_round=start_iteration)
    return rounds.callbacks(plan)[0]
