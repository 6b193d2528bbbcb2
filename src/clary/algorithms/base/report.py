"""The job's lines in the log, in the form that AWS's metric definitions read."""

from __future__ import annotations

import json
import logging
import math
import sys
import time
from typing import Any, Dict, Mapping, Sequence, Tuple

_FORMAT = "[%(asctime)s %(levelname)s %(thread)d] %(message)s"
_DATES = "%m/%d/%Y %H:%M:%S"
_LOSSES = ("mse", "absolute_loss", "rmse", "mae", "msd", "ssd")

Scores = Sequence[Tuple[str, float]]
"""Names of measures and their values."""


def configure(level: str) -> None:
    """Lines go to standard output, as AWS's algorithms write them."""
    logging.basicConfig(
        format=_FORMAT, datefmt=_DATES, level=getattr(logging, level.upper()), stream=sys.stdout, force=True
    )


class Report:
    """What one host tells; `silent` on those beside the first, whose figures are the same."""

    def __init__(self, title: str, host: str, *, silent: bool = False) -> None:
        self._title = title
        self._host = host
        self._log = logging.getLogger(title)
        self._silent = silent
        self._begun = self._turned = time.time()
        self._phases: Dict[str, Any] = {}

    def phase(self, name: str) -> None:
        """A part of the job has ended: its milliseconds stand in the last line."""
        now = time.time()
        self._phases[f"{name}.time"] = summary((now - self._turned) * 1000)
        self._turned = now

    def line(self, text: str) -> None:
        """One line."""
        if not self._silent:
            self._log.info("%s", text)

    def count(self, name: str, value: float) -> None:
        """A figure of the last line beside the phases, such as how many epochs there were."""
        self._phases[name] = summary(value)

    def epoch(self, number: int, data: str, objective: str, value: float) -> None:
        """The best candidate's objective on `train` or `validation` after an epoch."""
        self.line(f"#quality_metric: host={self._host}, epoch={number}, {data} {objective}_objective <loss>={value!r}")
        name = f"{data}_{objective}_objective"
        self.metrics({name: summary(value)}, epoch=number)

    def quality(self, number: int, data: str, name: str, value: float) -> None:
        """One measure of the model on `train` or `validation` after an epoch."""
        kind = "loss" if _is_loss(name) else "score"
        self.line(f"#quality_metric: host={self._host}, epoch={number}, {data} {name} <{kind}>={value!r}")
        self.metrics({f"{data}_{name}": summary(value)}, epoch=number)

    def watched(self, number: int, criterion: str, value: float, *, improved: bool) -> None:
        """What early stopping looks at."""
        self.line(
            f"#early_stopping_criteria_metric: host={self._host}, epoch={number}, criteria={criterion}, value={value!r}"
        )
        if improved:
            self.line(f"Epoch {number}: Loss improved. Updating best model")
        else:
            self.line(f"Epoch {number}: Loss has not improved.")

    def progress(self, done: int, epochs: int, records: float, seconds: float) -> None:
        """How far the job is, and how fast."""
        self.line(f"#progress_metric: host={self._host}, completed {100 * done // epochs} % of epochs")
        rate = records / max(seconds, 1e-9)
        self.line(f"#throughput_metric: host={self._host}, train throughput={rate!r} records/second")

    def scores(self, data: str, scores: Scores) -> None:
        """The final figures on `train`, `validation` or `test`."""
        for name, value in scores:
            self.line(f"#{data}_score ({self._host}) : ('{name}', {value!r})")
        for name, value in scores:
            kind = "loss" if _is_loss(name) else "score"
            self.line(f"#quality_metric: host={self._host}, {data} {name} <{kind}>={value!r}")

    def metrics(self, values: Mapping[str, Any], **dimensions: object) -> None:
        """One `#metrics` line of JSON."""
        if self._silent:
            return
        now = time.time()
        content = {
            "StartTime": self._begun,
            "EndTime": now,
            "Dimensions": {"Algorithm": self._title, "Host": self._host, "Operation": "training", **dimensions},
            "Metrics": values,
        }
        sys.stdout.write(f"#metrics {json.dumps(content)}\n\n")

    def ended(self) -> None:
        """The last line: what each phase, and the whole job, took."""
        milliseconds = (time.time() - self._begun) * 1000
        self.metrics({**self._phases, "totaltime": summary(milliseconds)})


def _is_loss(name: str) -> bool:
    return name in _LOSSES or name.endswith(("_objective", "_entropy"))


def summary(value: float) -> Mapping[str, Any]:
    """A figure as `#metrics` lines hold it."""
    shown = value if math.isfinite(value) else None
    return {"sum": shown, "count": 1, "min": shown, "max": shown}
