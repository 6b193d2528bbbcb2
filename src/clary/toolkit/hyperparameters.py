"""Hyperparameters: strings in a JSON file that may hold JSON themselves; some are the toolkit's own."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Mapping, NamedTuple

_PREFIX = "sagemaker_"
_TOOLKITS_OWN = frozenset(
    {
        "sagemaker_program",
        "sagemaker_submit_directory",
        "sagemaker_enable_cloudwatch_metrics",
        "sagemaker_region",
        "sagemaker_container_log_level",
        "sagemaker_job_name",
        "default_user_module_name",
        "_tuning_objective_metric",
        "sagemaker_s3_output",
    }
)


class Hyperparameters(NamedTuple):
    """Split by whom they are for."""

    users: Dict[str, Any]
    """What the script is given as arguments."""
    toolkits: Dict[str, Any]
    """`sagemaker_program` and its like."""
    frameworks: Dict[str, Any]
    """Everything else that begins with `sagemaker_`."""


def split(raw: Mapping[str, Any]) -> Hyperparameters:
    """Decode every value that holds JSON and tell the three kinds apart."""
    decoded = {name: _decoded(value) for name, value in raw.items()}
    toolkits = {name: value for name, value in decoded.items() if name in _TOOLKITS_OWN}
    frameworks = {
        name: value for name, value in decoded.items() if name.startswith(_PREFIX) and name not in _TOOLKITS_OWN
    }
    users = {name: value for name, value in decoded.items() if name not in toolkits and name not in frameworks}
    return Hyperparameters(users, toolkits, frameworks)


def _decoded(value: object) -> object:
    """JSON where it is JSON: `"5"` is the number 5, `"abc"` stays as it is."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def to_arguments(users: Mapping[str, Any]) -> List[str]:
    """As the script's command line: `--name value` (`-n value` for a single letter), sorted by name.

    A dict becomes `key=value,key=value`; None an empty argument; everything else is `str(value)`.
    """
    arguments: List[str] = []
    for name in sorted(users):
        arguments.append(f"--{name}" if len(name) > 1 else f"-{name}")
        arguments.append(_argument(users[name]))
    return arguments


def _argument(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        return ",".join(f"{key}={value[key]}" for key in sorted(value))
    return str(value)
