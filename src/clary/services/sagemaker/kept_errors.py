"""What SageMaker answers about resources that are only kept: Terraform, the SDKs and scripts branch on these texts.

Recorded from Terraform's aws provider, the SDKs, CloudFormation's resource providers and public issue reports; where
none shows a text, the code is what API_* documents.
"""

from __future__ import annotations

from collections.abc import Callable

from clary.errors import AWSError, ValidationError

Told = Callable[[str], AWSError]
"""From an ARN."""


def _name(arn: str) -> str:
    return arn.partition("/")[2]


def must_be_unique(noun: str) -> Told:
    """Pipelines, experiments and their parts: the SDKs look for "already exists" in a ValidationException."""
    return lambda arn: ValidationError(
        f"{noun} names must be unique within an AWS account and region. {noun} with name ({_name(arn)}) already exists."
    )


def does_not_exist(noun: str) -> Told:
    """The same, and whatever else documents ResourceNotFound."""
    return lambda arn: AWSError("ResourceNotFound", f"{noun} '{arn}' does not exist.")


def in_use(noun: str) -> Told:
    """A Create whose name is taken, where AWS documents ResourceInUse."""
    return lambda arn: AWSError(
        "ResourceInUse",
        f"Resource Already Exists: {noun} with name {_name(arn)} already exists. Choose a different name.",
    )


def invalid(text: str) -> Told:
    """A ValidationException with the ARN (`{arn}`) or the name (`{name}`) in its text."""
    return lambda arn: ValidationError(text.format(arn=arn, name=_name(arn)))


def conflict(text: str) -> Told:
    """A ConflictException, likewise."""
    return lambda arn: AWSError("ConflictException", text.format(arn=arn, name=_name(arn)))


def still_used(arn: str, by: str) -> AWSError:
    """A Delete of what something else needs."""
    return AWSError("ResourceInUse", f"Unable to delete {arn}: it is used by {by}.")
