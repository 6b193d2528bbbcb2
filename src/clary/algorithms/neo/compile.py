"""`python -m clary.algorithms.neo.compile`: the program of a compilation job.

It reads /opt/ml/model and /opt/ml/input/config/compilation.json, and leaves model.onnx, model.pmml or model.pfa, as
its Format says, in /opt/ml/output/compiled; exit
code 1, and the reason in /opt/ml/output/failure, where it cannot.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import sys
import traceback
import warnings
from typing import Any, Dict, List, Mapping, Union

from clary.algorithms.neo import exporting
from clary.algorithms.neo.compiled import Compiled, Uncompilable
from clary.toolkit import serve as contract
from clary.toolkit.layout import Layout

CONFIG = "compilation.json"
FOLDER = "compiled"

_COMPILERS: Mapping[str, str] = {
    "KERAS": "keras_models",
    "ONNX": "graphs",
    "PYTORCH": "torchscript",
    "SKLEARN": "estimators",
    "TENSORFLOW": "tensorflow_models",
    "TFLITE": "lite_models",
    "XGBOOST": "boosters",
}
"""Only that of the framework is loaded: no environment has all that they need."""
_MOST_SAID = 700
"""Characters of an error that is not ours."""

logger = logging.getLogger("sagemaker-compilation")


def main() -> int:
    """The exit code."""
    contract.configure_logs(os.environ)
    warnings.simplefilter("ignore")
    layout = Layout(os.environ)
    try:
        config = layout.read_config(CONFIG)
        found = _compiled(layout, config)
    except Uncompilable as error:
        return _failed(layout, f"ClientError: InputConfiguration: {error}.")
    except Exception as error:  # the compiler's, the model's and its script's libraries may raise anything
        traceback.print_exc()
        said = f"{type(error).__name__}: {error}"[:_MOST_SAID]
        return _failed(layout, f"ClientError: InputConfiguration: The model cannot be compiled. {said}")
    _write(layout, config["Framework"], config.get("Format", exporting.ONNX), found)
    return 0


def _compiled(layout: Layout, config: Mapping[str, Any]) -> Compiled:
    framework = config["Framework"]
    shapes: Union[Dict[str, Any], List[Any]] = json.loads(config.get("DataInputConfig") or "{}")
    logger.info("Compiling a model of %s.", framework)
    form = config.get("Format", exporting.ONNX)
    compiler = importlib.import_module(f"clary.algorithms.neo.{_COMPILERS[framework]}")
    found: Compiled = compiler.from_folder(layout.model, shapes, form)
    return found


def _write(layout: Layout, framework: str, form: str, found: Compiled) -> None:
    folder = layout.output / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    (folder / exporting.FILES[form]).write_bytes(found.content)
    logger.info(
        "The model of %s is compiled, %d bytes of %s. For %d rows %snumbers differ by %.2g at most.",
        framework,
        len(found.content),
        form.upper(),
        found.proof.rows,
        f"all labels, of {found.proof.labels} kinds, are the same, and " if found.proof.labels else "",
        found.proof.difference,
    )


def _failed(layout: Layout, reason: str) -> int:
    logger.error(reason)
    layout.write_failure(reason)
    return 1


if __name__ == "__main__":
    sys.exit(main())
