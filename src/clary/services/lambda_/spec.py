"""A function's configuration: what AWS fills in, and what it refuses
(https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html)."""

from __future__ import annotations

from typing import Any

from clary.errors import ValidationError
from clary.images.functions import RETIRED, RUNTIMES
from clary.lifecycles.function import LAYER_KIND
from clary.services.context import Context
from clary.services.iam.roles import check_pass_role
from clary.services.lambda_.errors import invalid, not_offered
from clary.services.lambda_.images import ZIP, is_image
from clary.services.lambda_.targets import check_target
from clary.services.resources import Params
from clary.store.rows import Row

LAMBDA = "lambda.amazonaws.com"

_MOST_SECONDS = 900
_MOST_MEMORY = 10_240
_MOST_LAYERS = 5
_ENVIRONMENT_BYTES = 4096

_KEPT = (
    *("FunctionName", "Runtime", "Role", "Handler", "Description", "Timeout", "MemorySize", "VpcConfig"),
    *("Environment", "TracingConfig", "KMSKeyArn", "Architectures", "EphemeralStorage", "SnapStart"),
    *("LoggingConfig", "PackageType", "ImageConfig", "DeadLetterConfig"),
)
"""Members of the spec; `Layers` are looked up."""

_NOT_OFFERED = (
    *("FileSystemConfigs", "CodeSigningConfigArn", "TenancyConfig", "CapacityProviderConfig"),
    *("DurableConfig", "AcceleratorConfig", "PublishTo"),
)

_RESERVED = frozenset(
    {
        *("_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV"),
        *("AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION"),
        *("AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME"),
        *("AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
        *("AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR"),
    }
)
"""https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime"""


def created(context: Context, params: Params) -> dict[str, Any]:
    """The spec of a CreateFunction, without its code. Raises InvalidParameterValueException, AccessDenied."""
    kind = params.get("PackageType") or ZIP
    if kind == ZIP and not (params.get("Runtime") and params.get("Handler")):
        text = "Runtime and Handler are mandatory parameters for functions created with deployment packages."
        raise invalid(text)
    defaults = {
        "Description": "",
        "Timeout": 3,
        "MemorySize": 128,
        "TracingConfig": {"Mode": "PassThrough"},
        "Architectures": ["x86_64"],
        "EphemeralStorage": {"Size": 512},
        "SnapStart": {"ApplyOn": "None"},
        "PackageType": kind,
    }
    spec = {**defaults, **{name: params[name] for name in _KEPT if params.get(name) is not None}}
    return _checked(context, {**spec, **_layers(context, params.get("Layers") or [])}, params)


def changed(context: Context, spec: dict[str, Any], params: Params) -> dict[str, Any]:
    """The spec after an UpdateFunctionConfiguration. Raises as `created`."""
    given = {name: params[name] for name in _KEPT if params.get(name) is not None and name != "FunctionName"}
    layers = _layers(context, params["Layers"]) if params.get("Layers") is not None else {}
    return _checked(context, {**spec, **given, **layers}, params)


def _checked(context: Context, spec: dict[str, Any], params: Params) -> dict[str, Any]:
    for name in _NOT_OFFERED:
        if params.get(name):
            raise not_offered(name)
    _check_dead_letters(context, spec)
    _check_package(spec)
    _check_size("timeout", spec["Timeout"], _MOST_SECONDS)
    _check_size("memorySize", spec["MemorySize"], _MOST_MEMORY)
    _check_environment((spec.get("Environment") or {}).get("Variables") or {})
    spec["LoggingConfig"] = _logging(spec)
    if params.get("Role"):
        _check_role(context, params["Role"])
    return spec


def _check_dead_letters(context: Context, spec: dict[str, Any]) -> None:
    """An empty target takes it away."""
    target = (spec.get("DeadLetterConfig") or {}).get("TargetArn")
    if target:
        check_target(context.store.read, "DeadLetterConfig.TargetArn", target, functions=False)
    else:
        spec.pop("DeadLetterConfig", None)


def _check_package(spec: dict[str, Any]) -> None:
    """An image brings its runtime, and says what of it is run."""
    if not is_image(spec):
        if spec.get("ImageConfig"):
            raise invalid("Please don't provide ImageConfig when the intended function PackageType is Zip.")
        _check_runtime(spec["Runtime"])
    elif spec.get("Runtime") or spec.get("Handler") or spec.get("Layers"):
        text = "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image."
        raise invalid(text)


def _check_runtime(runtime: str) -> None:
    if runtime in RETIRED:
        raise invalid(
            f"The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda functions. "
            f"We recommend you use a supported runtime while creating or updating functions."
        )
    if runtime not in RUNTIMES:
        raise not_offered(f"Runtime {runtime} (Python's are: {', '.join(RUNTIMES)})")


def _check_size(name: str, value: int, most: int) -> None:
    """The model allows more than functions may have."""
    if value > most:
        raise ValidationError(
            f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: "
            f"Member must have value less than or equal to {most}"
        )


def _check_environment(variables: dict[str, str]) -> None:
    used = sorted(_RESERVED & set(variables))
    if used:
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            "provided contains reserved keys that are currently not supported for modification. "
            f"Reserved keys used in this request: {', '.join(used)}"
        )
    if sum(len(name.encode()) + len(value.encode()) for name, value in variables.items()) > _ENVIRONMENT_BYTES:
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            f"provided exceeded the {_ENVIRONMENT_BYTES // 1024}KB limit."
        )


def _logging(spec: dict[str, Any]) -> dict[str, Any]:
    given = dict(spec.get("LoggingConfig") or {})
    given.setdefault("LogFormat", "Text")
    given.setdefault("LogGroup", f"/aws/lambda/{spec['FunctionName']}")
    if given["LogFormat"] == "JSON":
        given.setdefault("ApplicationLogLevel", "INFO")
        given.setdefault("SystemLogLevel", "INFO")
    elif given.get("ApplicationLogLevel"):
        raise invalid("To set log levels, you must first set LogFormat to JSON.")
    return given


def _check_role(context: Context, role_arn: str) -> None:
    """The caller may pass it, and Lambda may take it; with `--auth off` any role will do."""
    if context.settings.auth == "off":
        return
    try:
        check_pass_role(context.store.read, context.call, role_arn, LAMBDA)
    except ValidationError:
        raise invalid("The role defined for the function cannot be assumed by Lambda.") from None


def _layers(context: Context, arns: list[str]) -> dict[str, Any]:
    """`Layers` as answers show them, and `LayerCode`, their zips. Raises InvalidParameterValueException."""
    if len(arns) > _MOST_LAYERS:
        raise invalid(f"Cannot reference more than {_MOST_LAYERS} layers.")
    rows = [_layer(context, arn) for arn in arns]
    names = [row.parent for row in rows]
    if len(set(names)) != len(names):
        raise invalid("Two different versions of the same layer are not allowed to be referenced in the same function.")
    shown = [{"Arn": row.arn, "CodeSize": row.spec["CodeSize"]} for row in rows]
    return {"Layers": shown, "LayerCode": [row.spec["Code"] for row in rows]}


def _layer(context: Context, arn: str) -> Row:
    row = context.store.read.by_arn(arn)
    if row is None or row.key.kind != LAYER_KIND:
        raise invalid(f"Layer version {arn} does not exist.")
    return row
