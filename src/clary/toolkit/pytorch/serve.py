"""`serve` of PyTorch's images (`python -m clary.toolkit.pytorch.serve`): a user's script on top of what AWS's container
does by itself (https://github.com/aws/sagemaker-pytorch-inference-toolkit)."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Mapping

import torch  # type: ignore[import-not-found,unused-ignore]

from clary.formats import content_types
from clary.toolkit import arrays, serve
from clary.toolkit.inference import AsItIs, Data, Model

_MODEL = "model.pt"
_SUFFIXES = (".pt", ".pth")
_TORCHSERVE = ("TS_", "SAGEMAKER_TS_")
_IGNORED = "Ignored, since they are TorchServe's own and the model is not served by it: %s"

logger = logging.getLogger("sagemaker-inference")


class ModelLoadError(Exception):
    """The model's file is not what `model_fn` would load by itself."""


class PyTorch(AsItIs):
    """PyTorch's container: TorchScript loaded, tensors in, a call of the model, lists out."""

    def model_fn(self, model_dir: str) -> Model:
        """`model.pt`, or the only file of its kind, as TorchScript. Raises ValueError, ModelLoadError."""
        path = _model_file(Path(model_dir))
        try:
            return torch.jit.load(str(path), map_location=_device())
        except RuntimeError as error:
            raise ModelLoadError(f"Failed to load {path}. Please ensure model is saved using torchscript.") from error

    def input_fn(self, data: Data, content_type: str) -> Data:
        """CSV, JSON or NPY as a tensor: text formats of 32-bit floats, NPY of its own type."""
        array = arrays.decode(data, content_type)
        text = content_type in content_types.UTF8
        tensor = torch.tensor(array, dtype=torch.float32) if text else torch.from_numpy(array)
        return tensor.to(_device())

    def predict_fn(self, data: Data, model: Model) -> Data:
        """The model's answer, without gradients."""
        with torch.no_grad():
            placed = model.to(_device())
            placed.eval()
            return placed(data.to(_device()))

    def output_fn(self, prediction: Data, accept: str) -> Data:
        """CSV, JSON or NPY."""
        plain = prediction.detach().cpu().numpy().tolist() if isinstance(prediction, torch.Tensor) else prediction
        return arrays.encode(plain, accept), accept


def _device() -> Data:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _model_file(folder: Path) -> Path:
    if (folder / _MODEL).exists():
        return folder / _MODEL
    files = sorted(path.name for path in folder.iterdir() if path.is_file() and path.suffix in _SUFFIXES)
    if len(files) != 1:
        raise ValueError(f"Exactly one .pth or .pt file is required for PyTorch models: {files}")
    return folder / files[0]


def ignored(environ: Mapping[str, str]) -> str:
    """The settings that only TorchServe knows."""
    return ", ".join(sorted(name for name in environ if name.startswith(_TORCHSERVE)))


def main() -> int:
    """Host the model as the environment says; the exit code."""
    serve.configure_logs(os.environ)
    names = ignored(os.environ)
    if names:
        logger.warning(_IGNORED, names)
    return serve.host(PyTorch())


if __name__ == "__main__":
    sys.exit(main())
