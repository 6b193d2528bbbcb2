"""What Organizations answers instead of a result, in its own words."""

from __future__ import annotations

from clary.errors import AccessDenied, AWSError


def not_in_use() -> AWSError:
    """The caller's account is in no organization."""
    return AWSError("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")


def not_yours() -> AWSError:
    """Only the management account may."""
    return AccessDenied("You don't have permissions to access this resource.")


def no_account() -> AWSError:
    """No account of that id in the organization."""
    return AWSError("AccountNotFoundException", "You specified an account that doesn't exist.")


def no_request() -> AWSError:
    """No CreateAccount of that id."""
    return AWSError(
        "CreateAccountStatusNotFoundException", "You specified a create account request that doesn't exist."
    )


def no_parent() -> AWSError:
    """No root of that id."""
    return AWSError("ParentNotFoundException", "You specified parent that doesn't exist.")


def no_child() -> AWSError:
    """No account of that id below the root."""
    return AWSError("ChildNotFoundException", "You specified a child that doesn't exist.")


def no_target() -> AWSError:
    """Nothing of that id that could have tags."""
    return AWSError("TargetNotFoundException", "You specified a target that doesn't exist.")


def invalid() -> AWSError:
    """A token of another request."""
    return AWSError("InvalidInputException", "You specified an invalid value.")
