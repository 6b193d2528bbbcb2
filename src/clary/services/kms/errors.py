"""What KMS answers instead of a result, in its own words."""

from __future__ import annotations

from clary.errors import AccessDenied, AWSError, ValidationError


def no_key(arn: str) -> AWSError:
    """No key of that id."""
    return AWSError("NotFoundException", f"Key '{arn}' does not exist")


def no_such_id(given: str) -> AWSError:
    """What names no key at all."""
    return AWSError("NotFoundException", f"Invalid keyId '{given}'")


def foreign_arn(what: str) -> AWSError:
    """An ARN of another region or account."""
    return AWSError("NotFoundException", f"Invalid arn {what}")


def out_of_reach(who: str, action: str, arn: str) -> AWSError:
    """A key of another account that may not be used, or is not there: nobody is told which."""
    asked = f"User: {who} is not authorized to perform: kms:{action} on resource: {arn} because the resource does not"
    return AccessDenied(
        f"{asked} exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly "
        "denies access"
    )


def no_alias(arn: str) -> AWSError:
    """No alias of that name."""
    return AWSError("NotFoundException", f"Alias {arn} is not found.")


def disabled(arn: str) -> AWSError:
    """A key that was disabled."""
    return AWSError("DisabledException", f"{arn} is disabled.")


def wrong_state(said: str) -> AWSError:
    """A key that cannot do it in its state."""
    return AWSError("KMSInvalidStateException", said)


def wrong_usage(said: str) -> AWSError:
    """A key that is not for this."""
    return AWSError("InvalidKeyUsageException", said)


def wrong_key() -> AWSError:
    """Another key than the ciphertext's."""
    text = "The key ID in the request does not identify a CMK that can perform this operation."
    return AWSError("IncorrectKeyException", text)


def bad_ciphertext() -> AWSError:
    """Changed, of another key, or under another context: AWS does not say which."""
    return AWSError("InvalidCiphertextException", "")


def unreachable_key() -> AWSError:
    """The ciphertext's key is not here."""
    text = "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you "
    return AWSError("AccessDeniedException", f"{text}are not allowed to access.", status=403)


def unsupported(said: str = "") -> AWSError:
    """What this key cannot do, or Clary has not."""
    return AWSError("UnsupportedOperationException", said)


def bad_policy(said: str) -> AWSError:
    """A key policy that is none."""
    return AWSError("MalformedPolicyDocumentException", said)


def bad_tag(said: str) -> AWSError:
    """A tag that is no good."""
    return AWSError("TagException", said)


def bad_marker() -> AWSError:
    """A marker of another list."""
    return AWSError("InvalidMarkerException", "Invalid marker.")


def dry_run() -> AWSError:
    """All that could be asked beforehand has been."""
    text = "The request would have succeeded, but the DryRun option is set."
    return AWSError("DryRunOperationException", text)


def unreadable(arn: str) -> AWSError:
    """The root key is not the one that the material was sealed under."""
    text = f"The material of {arn} cannot be read: root.key in the data folder is not the one that it was kept under."
    return AWSError("KMSInternalException", text, status=500)


def invalid(said: str) -> ValidationError:
    """A rule beyond the model."""
    return ValidationError(said)
