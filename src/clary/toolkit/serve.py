"""`serve`: the program of a framework image that hosts a user's model (`python -m clary.toolkit.serve`)."""

from __future__ import annotations

import importlib
import logging
import os
import sys
from pathlib import Path
from typing import Callable, List, Mapping, Optional, Sequence

import numpy as np

from clary.formats import content_types
from clary.toolkit import arrays, inference, packages, source
from clary.toolkit.inference import Data, Model
from clary.toolkit.layout import Layout
from clary.toolkit.packages import Layer
from clary.toolkit.pmml import document as pmml
from clary.toolkit.predictor import watch
from clary.toolkit.proofs import row_wise
from clary.toolkit.rows import Stacked, as_table
from clary.toolkit.server import hosting

_INSTALLED = "SAGEMAKER_REQUIREMENTS_INSTALLED"
"""Set when this program starts itself anew on top of a layer of packages."""
_DEFAULT_PROGRAM = "inference.py"
_LIBRARIES = "lib"
"""Where the SDK puts a model's `dependencies` when it packs them with the model."""
ONNX_FILE = "model.onnx"
"""A model that is served without a script."""

logger = logging.getLogger("sagemaker-inference")


class ScikitLearn(inference.ScriptsLoad):
    """scikit-learn's container: arrays in, `predict`, arrays out; text formats are read as float32."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def loaded(self, model: Model) -> Model:
        """A classifier that is asked often is compiled, where that is proved to change nothing."""
        watch(model, self._environ)
        return model

    def model_fn(self, model_dir: str) -> Model:
        """A model given as ONNX or PMML needs no script. Raises NotImplementedError for any other, as ScriptsLoad."""
        path = Path(model_dir, ONNX_FILE)
        if path.is_file():
            return importlib.import_module("clary.toolkit.sessions").OnnxModel(path)
        document = pmml.file_of(Path(model_dir))
        return super().model_fn(model_dir) if document is None else pmml.PmmlModel.of(document)

    def input_fn(self, data: Data, content_type: str) -> Data:
        """CSV, JSON or NPY as an array."""
        array = arrays.decode(data, content_type)
        return array.astype(np.float32) if content_type in content_types.UTF8 else array

    def predict_fn(self, data: Data, model: Model) -> Data:
        """`model.predict`."""
        return model.predict(as_table(data, getattr(model, "n_features_in_", 0)))

    def output_fn(self, prediction: Data, accept: str) -> Data:
        """CSV, JSON or NPY."""
        return arrays.encode(prediction, accept), accept

    def stacked(self, model: Model) -> Optional[Stacked]:
        """For models of which it is proved that rows are predicted one by one."""
        if not row_wise(model):
            return None
        return Stacked(lambda rows: self.predict_fn(rows, model), model.n_features_in_, self.table_of)

    def table_of(self, rows: Sequence[List[float]]) -> Data:
        """As `input_fn` makes it of CSV."""
        return np.array(rows, dtype=float).astype(np.float32)


def main() -> int:
    """Host the model as the environment says; the exit code."""
    return host(ScikitLearn(os.environ))


def host(defaults: inference.Defaults) -> int:
    """Host a user's script on top of a framework's defaults; the exit code."""
    return hosting.host(prepare(defaults), os.environ)


def prepare(defaults: inference.Defaults) -> Callable[[Layout], inference.ScriptService]:
    """Put sources and packages in place; what is given back loads a model with its script, where there is one.

    Of several models of one container each may bring a script of its own; the others have the container's.
    """
    configure_logs(os.environ)
    layout = Layout(os.environ)
    shared = prepare_sources(layout, os.environ)
    start_anew_with_requirements(shared, os.environ)
    packages.offer_public_names()
    program = os.environ.get("SAGEMAKER_PROGRAM") or _DEFAULT_PROGRAM

    def load(of: Layout) -> inference.ScriptService:
        own = of.model != layout.model and inference.script_file(of.model_code, program).is_file()
        folder = of.model_code if own else shared
        sys.path[:0] = [str(folder), str(folder / _LIBRARIES)]
        named = program != _DEFAULT_PROGRAM or (folder / program).is_file()
        module = inference.import_script(program) if named else None
        functions = ", ".join(inference.functions_of(module)) or "defaults only"
        logger.info("Serving %s with %s.", program if named else "the model", functions)
        return inference.ScriptService(module, defaults, of, os.environ)

    return load


def configure_logs(environ: Mapping[str, str]) -> None:
    """Lines go to standard output, at once."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(write_through=True)  # type: ignore[union-attr]
    level = int(environ.get("SAGEMAKER_CONTAINER_LOG_LEVEL") or logging.INFO)
    logging.basicConfig(
        format="%(asctime)s %(levelname)s - %(name)s - %(message)s", level=level, stream=sys.stdout, force=True
    )


def prepare_sources(layout: Layout, environ: Mapping[str, str]) -> Path:
    """The folder of the user's script: in the model's `code`, fetched from S3, or brought by the image.

    Raises ClientError where sources cannot be fetched.
    """
    directory = environ.get("SAGEMAKER_SUBMIT_DIRECTORY") or ""
    if directory and Path(directory) not in (layout.model_code, layout.code):
        source.prepare(directory, layout.code, environ)
        return layout.code
    return layout.model_code if layout.model_code.is_dir() else layout.code


def start_anew_with_requirements(folder: Path, environ: Mapping[str, str]) -> None:
    """Install requirements.txt; where that added anything, this program begins again with it.

    A Python that has imported the image's version of a package already would go on using that one.
    Raises InstallRequirementsError.
    """
    requirements = packages.requirements_in(folder)
    if requirements is None or environ.get(_INSTALLED):
        return
    logger.info("Installing dependencies from requirements.txt")
    layer = packages.install_requirements(requirements, environ)
    if not layer.empty():
        _restart(layer, environ)


def _restart(layer: Layer, environ: Mapping[str, str]) -> None:
    module = _module_name()
    env = {**environ, _INSTALLED: "1", "PYTHONPATH": packages.python_path(environ)}
    python = str(layer.python)
    os.execve(python, [python, "-m", module, *sys.argv[1:]], env)  # noqa: S606 - a fixed program


def _module_name() -> str:
    """The module that runs as this program."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return spec.name if spec is not None and spec.name else "clary.toolkit.serve"


if __name__ == "__main__":
    sys.exit(main())
