"""The folders of the container contract
(https://docs.aws.amazon.com/sagemaker/latest/dg/amazon-sagemaker-toolkits.html)."""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path
from typing import Any, Dict, Mapping

DEFAULT_BASE = "/opt/ml"


class Layout:
    """Paths below the base folder: `/opt/ml`, or `SAGEMAKER_BASE_DIR` where that is set."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.base = Path(environ.get("SAGEMAKER_BASE_DIR") or DEFAULT_BASE)
        self.code = self.base / "code"
        self.model = self.base / "model"
        self.input = self.base / "input"
        self.config = self.input / "config"
        self.data = self.input / "data"
        self.output = self.base / "output"
        self.output_data = self.output / "data"
        self.intermediate = self.output / "intermediate"
        self.failure = self.output / "failure"
        self.success = self.output / "success"
        self.model_code = self.model / "code"

    def with_model(self, folder: Path) -> Layout:
        """The same container with one of several models (`/opt/ml/models/NAME/model`) for its own."""
        other = copy.copy(self)
        other.model = folder
        other.model_code = folder / "code"
        return other

    def read_config(self, name: str) -> Dict[str, Any]:
        """The JSON object in `input/config/NAME`; empty where there is no such file. Raises ValueError for bad JSON."""
        try:
            text = (self.config / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            return {}
        found = json.loads(text)
        if not isinstance(found, dict):
            raise ValueError(f"{self.config / name} holds no JSON object")  # noqa: TRY004 - a fault of the file
        return found

    def write_failure(self, reason: str) -> None:
        """Say why, for DescribeTrainingJob's FailureReason; what the program itself has written there stays."""
        self.output.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(str(self.failure), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        except FileExistsError:
            return
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
            file.write(reason)

    def write_success(self) -> None:
        """The mark that the public toolkit leaves when training went well."""
        self.output.mkdir(parents=True, exist_ok=True)
        self.success.write_text("", encoding="utf-8")
