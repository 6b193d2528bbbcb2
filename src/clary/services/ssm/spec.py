"""What a version of a parameter is to be, from a request and the version before: pure."""

from __future__ import annotations

from clary.errors import AWSError, ValidationError
from clary.services.resources import Params, present
from clary.services.ssm.values import DEFAULT_KEY, SECURE
from clary.store.rows import Row
from clary.velocity.limits import Budget, Limits, TemplateError
from clary.velocity.patterns import compiled

STANDARD, ADVANCED, INTELLIGENT = "Standard", "Advanced", "Intelligent-Tiering"

_SIZES = {STANDARD: 4096, ADVANCED: 8192}
_GUIDE = "https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html"


def spec_of(params: Params, before: Row | None) -> Params:
    """Raises ValidationException, ParameterPatternMismatchException, HierarchyTypeMismatchException."""
    there: Params = dict(before.spec) if before is not None else {}
    spec = present(
        {
            "Type": _type(params, there),
            "Description": params.get("Description", there.get("Description")),
            "AllowedPattern": params.get("AllowedPattern") or None,
            "Tier": _tier(params, there),
            "DataType": params.get("DataType") or there.get("DataType") or "text",
        }
    )
    _check_data_type(spec["DataType"])
    if spec["Type"] == SECURE:
        spec["KeyId"] = params.get("KeyId") or there.get("KeyId") or DEFAULT_KEY
    elif params.get("KeyId"):
        raise ValidationError("KeyId is required for SecureString type parameter only.")
    _check_pattern(spec.get("AllowedPattern"), params["Value"])
    return spec


def _type(params: Params, there: Params) -> str:
    kind: str | None = params.get("Type") or there.get("Type")
    if kind is None:
        raise ValidationError("A parameter type is required when you create a parameter.")
    if there and there["Type"] != kind:
        raise AWSError(
            "HierarchyTypeMismatchException",
            "Parameter Store doesn't support changing a parameter type in a hierarchy. For example, you can't change a "
            "parameter from a String type to a SecureString type. You must create a new, unique parameter.",
        )
    return kind


def _tier(params: Params, there: Params) -> str:
    size = len(params["Value"].encode("utf-8", "surrogatepass"))
    if not size:
        raise ValidationError(
            "1 validation error detected: Value at 'value' failed to satisfy constraint: Member must have length "
            "greater than or equal to 1."
        )
    asked = params.get("Tier") or there.get("Tier") or STANDARD
    if asked == INTELLIGENT:
        asked = ADVANCED if size > _SIZES[STANDARD] or there.get("Tier") == ADVANCED else STANDARD
    if asked == STANDARD and there.get("Tier") == ADVANCED:
        raise ValidationError(
            "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the "
            "advanced-parameter tier to the standard-parameter tier. If necessary, you can delete the advanced "
            "parameter and recreate it as a standard parameter."
        )
    if size > _SIZES[asked]:
        raise ValidationError(_too_large(asked))
    return str(asked)


def _too_large(tier: str) -> str:
    said = f"{tier} tier parameters support a maximum parameter value of {_SIZES[tier]} characters."
    if tier == ADVANCED:
        return said
    more = "To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier."
    return f"{said} {more} For more information, see {_GUIDE}"


def _check_data_type(given: str) -> None:
    if given not in ("text", "aws:ec2:image", "aws:ssm:integration"):
        raise ValidationError(f"The following data type is not supported: {given} (Data type names are all lowercase.)")
    if given != "text":
        raise ValidationError(f"The data type {given} is not offered by Clary.")


def _check_pattern(pattern: str | None, value: str) -> None:
    """The whole value has to match, in time linear in it: nobody who writes a pattern is trusted with this process."""
    if pattern is None:
        return
    try:
        matches = compiled(pattern).matches(value, Budget(Limits()))
    except TemplateError as error:
        raise AWSError(
            "InvalidAllowedPatternException", f"The request does not meet the regular expression requirement: {error}"
        ) from None
    if not matches:
        text = f"Parameter value, cannot be validated against allowedPattern: {pattern}"
        raise AWSError("ParameterPatternMismatchException", text)
