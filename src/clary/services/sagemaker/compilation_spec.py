"""What CreateCompilationJob asks for, checked
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateCompilationJob.html).

No public source shows AWS's words for what it refuses here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from clary.errors import ValidationError
from clary.images.neo import FORMS, form_of
from clary.images.neo import ONNX as FORM_ONNX
from clary.services.resources import Params
from clary.services.sagemaker.errors import not_offered
from clary.workload.errors import WorkloadError
from clary.workload.s3uri import join, split

XGBOOST, SKLEARN, ONNX = "XGBOOST", "SKLEARN", "ONNX"
PYTORCH, TENSORFLOW, KERAS, TFLITE = "PYTORCH", "TENSORFLOW", "KERAS", "TFLITE"

_WITH_FORMULAS = (XGBOOST, SKLEARN)
"""Whose models may be written as PMML or PFA."""
_GONE: Mapping[str, str] = {
    "DARKNET": "its models run in its own program only. Convert the .cfg and .weights to ONNX and ask with Framework"
    " ONNX, or load them with PyTorch, save TorchScript and ask with Framework PYTORCH.",
    "MXNET": "the project was retired in 2023. Export the model with the last MXNet, 1.9.1"
    " (mxnet.onnx.export_model), and ask with Framework ONNX.",
}
"""Frameworks that nobody makes any more, and what to do."""
_PREFIX_OF_INSTANCES = "ml_"
_OF_OTHER_COMPILERS: Mapping[str, str] = {
    "amba_cv2": "Ambarella's",
    "amba_cv22": "Ambarella's",
    "amba_cv25": "Ambarella's",
    "coreml": "Apple's",
    "jacinto_tda4vm": "Texas Instruments'",
    "ml_eia2": "Elastic Inference's",
    "ml_inf1": "AWS Neuron's",
    "ml_inf2": "AWS Neuron's",
    "ml_trn1": "AWS Neuron's",
    "sitara_am57x": "Texas Instruments'",
}
"""Targets whose chips run nothing but what their makers' compilers have made."""
_ARCHIVE = ".tar.gz"


def check_compilation(params: Params) -> None:
    """Raises ValidationError."""
    if "ModelPackageVersionArn" in params:
        raise not_offered("ModelPackageVersionArn")
    if "InputConfig" not in params:
        raise ValidationError("InputConfig is required.")
    _check_input(params["InputConfig"])
    _check_output(params["OutputConfig"])
    _check_form(params["InputConfig"]["Framework"], params["OutputConfig"])


def _check_input(config: Params) -> None:
    framework = config["Framework"]
    if framework in _GONE:
        raise ValidationError(f"InputConfig.Framework {framework} is not offered by Clary: {_GONE[framework]}")
    _check_address("InputConfig.S3Uri", config["S3Uri"])
    if not config["S3Uri"].endswith(_ARCHIVE):
        raise ValidationError("InputConfig.S3Uri must point to a single gzip compressed tar archive (.tar.gz suffix).")
    if "DataInputConfig" in config:
        _check_shapes(config["DataInputConfig"], framework)


def _check_shapes(text: str, framework: str) -> None:
    """Inputs by name, PyTorch's also in order; what shapes they may have, the model knows."""
    try:
        shapes = json.loads(text)
    except (ValueError, RecursionError):
        shapes = None
    if isinstance(shapes, dict) or (isinstance(shapes, list) and framework == PYTORCH):
        return
    listed = " or a list such as [[1, 3, 224, 224]]" if framework == PYTORCH else ""
    raise ValidationError(f'InputConfig.DataInputConfig must be a JSON dictionary such as {{"data": [1, 8]}}{listed}.')


def _check_output(config: Params) -> None:
    _check_address("OutputConfig.S3OutputLocation", config["S3OutputLocation"])
    if ("TargetDevice" in config) == ("TargetPlatform" in config):
        raise ValidationError("OutputConfig: either TargetDevice or TargetPlatform is required, but not both.")
    maker = _OF_OTHER_COMPILERS.get(config.get("TargetDevice", ""))
    if maker:
        device = config["TargetDevice"]
        raise ValidationError(f"OutputConfig.TargetDevice {device} is not offered by Clary: it needs {maker} compiler.")


def _check_form(framework: str, output: Params) -> None:
    """PMML and PFA are asked for by CompilerOptions, which are each compiler's own."""
    form = form_of(output.get("CompilerOptions", ""))
    if form not in FORMS:
        raise ValidationError(f"OutputConfig.CompilerOptions: the format {form} is not one of {', '.join(FORMS)}.")
    if framework not in _WITH_FORMULAS and form != FORM_ONNX:
        raise ValidationError(f"OutputConfig.CompilerOptions: a model of {framework} is not written as {form.upper()}.")


def _check_address(member: str, uri: str) -> None:
    try:
        split(uri)
    except WorkloadError:
        raise ValidationError(f"{member}: {uri} is not a valid S3 URI.") from None


def target_of(output: Params) -> str:
    """`ml_c5`, or `LINUX_X86_64_NVIDIA`: as artifacts are named."""
    platform = output.get("TargetPlatform")
    if not platform:
        return str(output["TargetDevice"])
    return "_".join(platform[part] for part in ("Os", "Arch", "Accelerator") if part in platform)


def artifacts_of(params: Params) -> str:
    """`S3OutputLocation/model-ml_c5.tar.gz` for a `model.tar.gz`."""
    output = params["OutputConfig"]
    name = params["InputConfig"]["S3Uri"].rpartition("/")[2].removesuffix(_ARCHIVE)
    return join(output["S3OutputLocation"], f"{name}-{target_of(output)}{_ARCHIVE}")


def is_for_an_instance(output: Params) -> bool:
    """Whether the target is one of AWS's instances, which endpoints have."""
    return str(output.get("TargetDevice", "")).startswith(_PREFIX_OF_INSTANCES)
