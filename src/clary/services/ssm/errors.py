"""What Systems Manager answers instead of a result, in its own words."""

from __future__ import annotations

from clary.errors import AWSError


def no_parameter(name: str) -> AWSError:
    """No parameter of that name."""
    return AWSError("ParameterNotFound", f"Parameter {name} not found.")


def no_version(name: str, version: int) -> AWSError:
    """No version of that number."""
    text = f"Systems Manager could not find version {version} of {name}. Verify the version and try again."
    return AWSError("ParameterVersionNotFound", text)


def no_label(name: str, label: str) -> AWSError:
    """No version of that label."""
    text = f"Systems Manager could not find label {label} for parameter {name}. Verify the label and try again."
    return AWSError("ParameterVersionNotFound", text)


def exists() -> AWSError:
    """The name is taken."""
    text = "The parameter already exists. To overwrite this value, set the overwrite option in the request to true."
    return AWSError("ParameterAlreadyExists", text)


def bad_token() -> AWSError:
    """A NextToken of another request."""
    return AWSError("InvalidNextToken", "The specified token is not valid.")
