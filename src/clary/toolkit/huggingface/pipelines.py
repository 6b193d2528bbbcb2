"""What Hugging Face's toolkit does where the script does not say: a pipeline, asked with `inputs` and `parameters`."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Mapping, Optional

import torch  # type: ignore[import-not-found,unused-ignore]
import transformers  # type: ignore[import-not-found,unused-ignore]
from huggingface_hub import snapshot_download  # type: ignore[import-not-found,unused-ignore]

from clary.formats import content_types
from clary.toolkit.errors import ClientError
from clary.toolkit.huggingface import bodies
from clary.toolkit.huggingface.tasks import task_of
from clary.toolkit.inference import AsItIs, Data, Model

_NO_CSV = ("zero-shot-classification", "table-question-answering")
_TRUE = frozenset({"y", "yes", "t", "true", "on", "1"})

logger = logging.getLogger("sagemaker-inference")


class Pipelines(AsItIs):
    """The defaults of the public toolkit."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._task = environ.get("HF_TASK", "")

    def model_fn(self, model_dir: str) -> Model:
        """The pipeline of the model in that folder, or of `HF_MODEL_ID` on the Hub. Raises ValueError, ClientError."""
        folder = _from_hub(self._environ) or Path(model_dir)
        self._task = task_of(folder, self._environ)
        logger.info("Loading a pipeline for %s from %s.", self._task, folder)
        return transformers.pipeline(
            task=self._task,
            model=str(folder),
            device=0 if torch.cuda.is_available() else -1,
            trust_remote_code=self._environ.get("HF_TRUST_REMOTE_CODE", "").lower() in _TRUE,
        )

    def input_fn(self, data: Data, content_type: str) -> Data:
        """JSON as it is; CSV's rows, an image or a sound as `inputs`. Raises ValueError."""
        if self._task in _NO_CSV and content_type == content_types.CSV:
            raise ValueError(f"content type {content_type} not support with {self._task}, use different content_type")
        return bodies.decode(data, content_type)

    def predict_fn(self, data: Data, model: Model) -> Data:
        """`model(inputs, **parameters)`."""
        if not isinstance(data, dict):
            return model(data)
        parameters = data.get("parameters") or {}
        rest = {name: value for name, value in data.items() if name != "parameters"}
        return model(data.get("inputs", rest), **parameters)

    def output_fn(self, prediction: Data, accept: str) -> Data:
        """JSON, CSV, NPY or an image. Raises ValueError."""
        return bodies.encode(prediction, accept)


def _from_hub(environ: Mapping[str, str]) -> Optional[Path]:
    """The folder of the model that `HF_MODEL_ID` names, fetched first where it is no folder itself."""
    name = environ.get("HF_MODEL_ID")
    if not name:
        return None
    if Path(name).is_dir():
        return Path(name)
    try:
        token = environ.get("HF_TOKEN") or environ.get("HF_API_TOKEN")
        return Path(snapshot_download(name, revision=environ.get("HF_MODEL_REVISION"), token=token))
    except (OSError, ValueError) as error:
        raise ClientError(
            f"HF_MODEL_ID names {name}, which cannot be fetched from the Hugging Face Hub: {error}\n"
            "Where there is no network, download it once elsewhere (`save_pretrained`), pack the folder's content"
            " into model.tar.gz, give that as model_data, and leave HF_MODEL_ID out."
        ) from error
