"""What is served: three models fitted once for all servers, rows to ask them, and the right answers."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchmarks.serving.environments import python_of

ROOT = Path(__file__).parents[2]
RECORDS = ROOT / "src" / "clary" / "demo" / "heart_failure.csv"
NAMES = ("voting", "logistic", "xgboost")
ROWS = 12_000
"""Distinct ones: so many requests are prepared, and asked over again where a round is longer."""


@dataclass(frozen=True)
class Models:
    """`folder` holds `voting.joblib`, `logistic.joblib` and `xgboost.ubj`."""

    folder: Path
    rows: list[str]
    """Lines of CSV, without their ends."""
    right: dict[str, list[float]]
    """By model: what `predict_proba` gives for each row's second class."""


def fitted(folder: Path) -> Models:
    """Fit them, in the first peer's environment."""
    program = Path(__file__).parent / "programs" / "fit.py"
    subprocess.run(
        [python_of("flask"), program, RECORDS, str(ROWS), folder],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
    )
    rows = (folder / "rows.csv").read_text().splitlines()
    return Models(folder, rows, json.loads((folder / "right.json").read_text()))
