"""What SQS answers instead of a result, in its own words. Codes are the shapes' names: `wire.protocol` tells which
code each had in the query protocol, by which SDKs know them."""

from __future__ import annotations

from clary.errors import AWSError


def no_queue() -> AWSError:
    """No queue of that name or URL."""
    return AWSError("QueueDoesNotExist", "The specified queue does not exist.")


def exists(attribute: str) -> AWSError:
    """A queue of that name is there, and is another one."""
    text = f"A queue already exists with the same name and a different value for attribute {attribute}"
    return AWSError("QueueNameExists", text)


def invalid(message: str) -> AWSError:
    """A parameter that is no good."""
    return AWSError("InvalidParameterValue", message)


def invalid_value(value: object, name: str, reason: str) -> AWSError:
    """The value of a parameter."""
    return invalid(f"Value {value} for parameter {name} is invalid. Reason: {reason}")


def missing(name: str) -> AWSError:
    """A parameter that is needed."""
    return AWSError("MissingParameter", f"The request must contain the parameter {name}.")


def unknown_attribute(name: str) -> AWSError:
    """No attribute of that name, for a queue of this type."""
    return AWSError("InvalidAttributeName", f"Unknown Attribute {name}.")


def invalid_attribute(name: str, reason: str = "") -> AWSError:
    """The value of an attribute."""
    text = f"Invalid value for the parameter {name}." + (f" Reason: {reason}" if reason else "")
    return AWSError("InvalidAttributeValue", text)


def invalid_receipt(handle: str) -> AWSError:
    """No receipt handle of this queue."""
    return AWSError("ReceiptHandleIsInvalid", f'The input receipt handle "{handle}" is not a valid receipt handle.')


def not_in_flight(handle: str) -> AWSError:
    """A message whose visibility cannot be changed."""
    reason = "Message does not exist or is not available for visibility timeout change."
    return AWSError("MessageNotInflight", f"Value {handle} for parameter ReceiptHandle is invalid. Reason: {reason}")
