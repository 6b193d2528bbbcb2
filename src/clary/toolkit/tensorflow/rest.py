"""TensorFlow Serving's REST API over loaded models: methods, versions, statuses and errors
(https://github.com/tensorflow/serving/blob/master/tensorflow_serving/g3doc/api_rest.md)."""

from __future__ import annotations

import json
import logging
import re
from typing import Dict, Mapping, Optional

import tensorflow as tf  # type: ignore[import-untyped,import-not-found,unused-ignore]

from clary.formats import content_types
from clary.toolkit.server.message import Request, Response
from clary.toolkit.tensorflow import examples, json_tensors, predict
from clary.toolkit.tensorflow.json_tensors import Invalid, Json
from clary.toolkit.tensorflow.saved_models import Model, Signature, Versions

_PATH = re.compile(r"/v1/models/(?P<model>[^/:]+)(?:/versions/(?P<version>\d+))?(?::(?P<method>\w+))?\Z")
_DEFAULT_SIGNATURE = "serving_default"
_PYTHONS_HEAD = "<stack traces unavailable>\n"
_PYTHONS_END = re.compile(r" \[Op:\w+\]\s*\Z")
_METHODS = ("predict", "classify", "regress")
_NUMBER = {"classify": "Classification", "regress": "Regression"}

logger = logging.getLogger("sagemaker-inference")


class NotFound(Exception):
    """No such model or version; the text is TensorFlow Serving's."""


class Rest:
    """Loaded models by name and version. `answer` may be used by several threads."""

    def __init__(self, models: Mapping[str, Mapping[int, Model]]) -> None:
        self._models = models

    def answer(self, request: Request) -> Response:
        """Answer one request to `/v1/models/…`."""
        found = _PATH.match(request.path)
        if found is None or (request.method == "POST") != (found["method"] is not None):
            return failed(400, f"Malformed request: {request.method} {request.path}")
        version = int(found["version"]) if found["version"] else None
        if found["method"]:
            return self.ask(found["model"], version, found["method"], request.body)
        return self._status(found["model"], version)

    def ask(self, name: str, version: Optional[int], method: str, body: bytes) -> Response:
        """Answer a request to one model's method."""
        if method not in _METHODS:
            return failed(400, f"Malformed request: POST /v1/models/{name}:{method}")
        try:
            return _ok(_call(self._model(name, version), method, body.decode("utf-8")))
        except NotFound as error:
            return failed(404, str(error))
        except (Invalid, UnicodeDecodeError, tf.errors.InvalidArgumentError, ValueError, TypeError) as error:
            return failed(400, _told(error))
        except tf.errors.OpError as error:
            return failed(500, _told(error))

    def _model(self, name: str, version: Optional[int]) -> Model:
        versions = self._models.get(name, {})
        wanted = max(versions, default=0) if version is None else version
        if wanted not in versions:
            asked = f"Latest({name})" if version is None else f"Specific({name}, {version})"
            raise NotFound(f"Servable not found for request: {asked}")
        return versions[wanted]

    def _status(self, name: str, version: Optional[int]) -> Response:
        versions = self._models.get(name, {})
        shown = [number for number in sorted(versions, reverse=True) if version in (None, number)]
        if not shown:
            which = f" with version {version}" if version is not None and versions else ""
            return failed(404, f"Could not find any versions of model {name}{which}")
        states = [
            {"version": str(number), "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
            for number in shown
        ]
        return _ok(json.dumps({"model_version_status": states}, indent=1))


def load(found: Mapping[str, Versions]) -> Dict[str, Dict[int, Model]]:
    """Every version of every model. Raises what TensorFlow raises for a broken one."""
    models: Dict[str, Dict[int, Model]] = {}
    for name, versions in found.items():
        for version, folder in versions.items():
            logger.info("Loading SavedModel %s, version %d, from %s.", name, version, folder)
            models.setdefault(name, {})[version] = Model(folder)
    return models


def _call(model: Model, method: str, body: str) -> str:
    request = json_tensors.parse(body)
    name = _signature_name(request)
    signature = model.signatures.get(name)
    if signature is None:
        raise Invalid(f'Serving signature name: "{name}" not found in signature def')
    if method == "predict":
        inputs = {key: wanted.dtype for key, wanted in signature.inputs.items()}
        tensors, by_rows = predict.read(request, inputs)
        return predict.write(model.call(name, tensors), by_rows)
    _check_method(signature, method)
    [only] = signature.inputs
    outputs = model.call(name, {only: examples.read(request)})
    return examples.write_classes(outputs) if method == "classify" else examples.write_values(outputs)


def _signature_name(request: Mapping[str, Json]) -> str:
    name = request.get("signature_name", _DEFAULT_SIGNATURE)
    if not isinstance(name, str):
        raise Invalid(
            f"JSON Value: {json_tensors.shown(request)} not formatted correctly."
            " 'signature_name' key must be a string value."
        )
    return name or _DEFAULT_SIGNATURE


def _check_method(signature: Signature, method: str) -> None:
    """Examples are for signatures that were saved for them: one input of serialized examples."""
    expected = f"tensorflow/serving/{method}"
    one_text = [wanted.dtype for wanted in signature.inputs.values()] == ["object"]
    if signature.method not in (expected, "tensorflow/serving/predict") or not one_text:
        raise Invalid(f"Expected {_NUMBER[method]} signature method_name to be {expected}. Was: {signature.method}")


def _told(error: Exception) -> str:
    """An error's text, without what TensorFlow adds for who runs it from Python."""
    text: str = getattr(error, "message", None) or str(error)
    return _PYTHONS_END.sub("", text.rpartition(_PYTHONS_HEAD)[2])


def _ok(body: str) -> Response:
    return Response(200, body.encode("utf-8"), content_types.JSON)


def failed(status: int, message: str) -> Response:
    """An error in TensorFlow Serving's form."""
    return Response(status, json.dumps({"error": message}, ensure_ascii=False).encode("utf-8"), content_types.JSON)
