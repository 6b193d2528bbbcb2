"""Which image compiles a model, and which serves what comes of it.

XGBoost's own formats are read by one image for all versions. A scikit-learn model is a pickle, which the version that
wrote it reads: the one that the request names, or that of the training job whose artifact it is. TorchScript and
TensorFlow's files are read by the newest of their images, whatever version has written them; what comes of them, as of
any ONNX, is served without the framework.
"""

from __future__ import annotations

from collections.abc import Mapping

from clary.errors import ValidationError
from clary.images import pytorch, tensorflow
from clary.images.accounts import REGISTRIES
from clary.images.addresses import Address
from clary.images.neo import ONNX, ONNX_IMAGE, XGBOOST_IMAGE, form_of
from clary.images.releases import compiles
from clary.images.repository import Repository
from clary.images.scikit_learn import REPOSITORIES
from clary.lifecycles import training_job
from clary.services.context import Context
from clary.services.resources import Params
from clary.services.sagemaker.compilation_spec import KERAS, PYTORCH, SKLEARN, TENSORFLOW, TFLITE, XGBOOST
from clary.services.sagemaker.images import resolve_image
from clary.store.rows import Key
from clary.workload.s3uri import canonical

_SKLEARN = REPOSITORIES[0]
_BY_NAME: Mapping[str, Repository] = {each.name: each for each in (*pytorch.REPOSITORIES, *tensorflow.REPOSITORIES)}
_READERS: Mapping[str, Repository] = {
    PYTORCH: _BY_NAME["pytorch-inference"],
    **dict.fromkeys((TENSORFLOW, KERAS, TFLITE), _BY_NAME["tensorflow-inference"]),
}
"""Whose newest tag reads a framework's models."""
_JOB_FROM_END = 2
"""`…/JOB/output/model.tar.gz`."""
_ELSEWHERE = "us-east-1"


def compiler_image(context: Context, params: Params) -> str:
    """Whose environment compiles. Raises ValidationError where it cannot be had here, or holds no compiler."""
    framework = params["InputConfig"]["Framework"]
    if framework in _READERS:
        newest = _READERS[framework]
        return _compiling(context, params, _address(context.region, newest.name, f"{list(newest.tags)[-1]}-cpu"))
    if framework == SKLEARN:
        config = params["InputConfig"]
        trained = None if "FrameworkVersion" in config else _of_training(context, config["S3Uri"])
        return _compiling(context, params, trained or _of_version(context, config))
    trees = framework == XGBOOST and form_of(params["OutputConfig"].get("CompilerOptions", "")) == ONNX
    uri = _address(context.region, *(XGBOOST_IMAGE if trees else ONNX_IMAGE))
    resolve_image(context, uri, params["RoleArn"])
    return uri


def serving_image(context: Context, params: Params, compiler: str) -> str:
    """Whose environment serves what comes of it: none with a network's framework."""
    return _address(context.region, *ONNX_IMAGE) if params["InputConfig"]["Framework"] in _READERS else compiler


def _compiling(context: Context, params: Params, uri: str) -> str:
    """Raises ValidationError where the image cannot be had here, or holds no compiler."""
    framework = params["InputConfig"]["Framework"]
    image = resolve_image(context, uri, params["RoleArn"])
    if image.environment is None or not compiles(image.environment):
        what = "scikit-learn is compiled from version 1.2 on, on Python 3.9 to 3.13."
        other = f"{framework} is compiled on Python 3.10 to 3.13."
        said = f"{uri} holds no compiler: {what if framework == SKLEARN else other}"
        raise ValidationError(f"InputConfig.Framework {framework}: {said}")
    return uri


def _of_training(context: Context, uri: str) -> str | None:
    """The image of the training job whose artifact this is, where that is scikit-learn's."""
    parts = canonical(uri).split("/")
    if len(parts) <= _JOB_FROM_END:
        return None
    name = parts[-_JOB_FROM_END - 1]
    row = context.store.read.get(Key(training_job.KIND, context.account, context.region, name))
    if row is None or row.state.get("model_artifacts") != canonical(uri):
        return None
    image: str | None = row.spec["AlgorithmSpecification"].get("TrainingImage")
    address = Address.parse(image or "")
    return image if address and address.repository == _SKLEARN.name else None


def _of_version(context: Context, config: Params) -> str:
    """The newest tag of FrameworkVersion, or of all. Raises ValidationError."""
    wanted = config.get("FrameworkVersion")
    tags = [tag for tag in _SKLEARN.tags if wanted is None or _is_of(tag, wanted)]
    if not tags:
        known = ", ".join(tag.partition("-")[0] for tag in _SKLEARN.tags)
        raise ValidationError(f"InputConfig.FrameworkVersion {wanted}: scikit-learn has {known}.")
    return _address(context.region, _SKLEARN.name, f"{tags[-1]}-cpu-py3")


def _is_of(tag: str, version: str) -> bool:
    """`1.2-1` is of `1.2` and of `1.2.1`."""
    release = tag.partition("-")[0]
    return version == release or version in (tag, _SKLEARN.tags[tag].version)


def _address(region: str, repository: str, tag: str) -> str:
    registries = REGISTRIES[repository]
    place = region if region in registries else _ELSEWHERE
    domain = "amazonaws.com.cn" if place.startswith("cn-") else "amazonaws.com"
    return f"{registries[place]}.dkr.ecr.{place}.{domain}/{repository}:{tag}"
