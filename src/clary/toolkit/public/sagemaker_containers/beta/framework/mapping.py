"""`framework.mapping`: a dictionary as variables, and as a command line."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Mapping

Value = Any
"""Whatever JSON holds."""


def to_env_vars(mapping: Mapping[str, Value]) -> Dict[str, str]:
    """`{"model_dir": "/opt"}` → `{"SM_MODEL_DIR": "/opt"}`; what is no text becomes JSON."""
    return {f"SM_{name.upper()}": _variable(value) for name, value in mapping.items()}


def to_cmd_args(mapping: Mapping[str, Value]) -> List[str]:
    """`{"lr": 0.1, "e": 2}` → `["-e", "2", "--lr", "0.1"]`, by name."""
    arguments: List[str] = []
    for name in sorted(mapping):
        arguments += ["--" + name if len(name) > 1 else "-" + name, _argument(mapping[name])]
    return arguments


def _variable(value: Value) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"))


def _argument(value: Value) -> str:
    if isinstance(value, dict):
        return ",".join(f"{name}={part}" for name, part in sorted(value.items()))
    return "" if value is None else str(value)
