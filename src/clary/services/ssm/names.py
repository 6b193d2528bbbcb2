"""Names and ARNs of parameters: what AWS allows
(https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html)."""

from __future__ import annotations

import re
from typing import NamedTuple

from clary.errors import AccessDenied, AWSError, ValidationError
from clary.names import Arn

KIND = "parameter"
VERSION = "parameter-version"
"""A version's parent is its parameter."""

SECRETS = "/aws/reference/secretsmanager/"
"""What stands before a secret's name where it is read as a parameter."""

_NAME = re.compile(r"[a-zA-Z0-9_.\-/]+")
_LONGEST = 1011
_DEEPEST = 15
_RESERVED = re.compile(r"/?(aws|ssm)", re.IGNORECASE)


class Selected(NamedTuple):
    """A name, and which version of it is meant."""

    name: str
    selector: str
    """`:3`, `:label`, or empty."""


def arn(region: str, account: str, name: str) -> str:
    """A parameter's ARN: a name's first slash is the ARN's."""
    return str(Arn("ssm", region, account, f"parameter/{name.removeprefix('/')}"))


def selected(given: str) -> Selected:
    """Of `NAME`, `NAME:VERSION`, `NAME:LABEL`, or of an ARN with any of these."""
    if given.startswith("arn:"):
        head, colon, selector = given.partition(":parameter")[2].partition(":")
        return Selected(head if head.count("/") > 1 else head.removeprefix("/"), colon + selector)
    name, colon, selector = given.partition(":")
    return Selected(name, colon + selector)


def check(name: str) -> None:
    """Of a parameter that is to be made. Raises ValidationException, AccessDeniedException,
    HierarchyLevelLimitExceededException."""
    if name.lower().startswith("/aws/"):
        raise AccessDenied(f"No access to reserved parameter name: {name}.")
    if _RESERVED.match(name):
        raise ValidationError('Parameter name: can\'t be prefixed with "aws" or "ssm" (case-insensitive).')
    if not _NAME.fullmatch(name) or "//" in name or name.endswith("/"):
        raise _bad_name()
    if "/" in name and not name.startswith("/"):
        raise ValidationError("Parameter name must be a fully qualified name.")
    if len(name) > _LONGEST:
        raise ValidationError(f"Parameter name can't be longer than {_LONGEST} characters.")
    if name.count("/") > _DEEPEST:
        raise AWSError(
            "HierarchyLevelLimitExceededException", f"Parameter name is limited to a maximum of {_DEEPEST} levels."
        )


def check_read(name: str) -> None:
    """Of a parameter that is to be read. Raises ValidationException."""
    partial = "/" in name and not name.startswith("/")
    if not _NAME.fullmatch(name) or "//" in name or partial:
        raise _bad_name()


def _bad_name() -> ValidationError:
    return ValidationError(
        'Parameter name: can\'t be prefixed with "ssm" (case-insensitive). If formed as a path, it can consist of '
        "sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the "
        "following 3 symbols .-_"
    )


def check_path(path: str) -> None:
    """Of GetParametersByPath. Raises ValidationException."""
    if not path.startswith("/") or "//" in path or not _NAME.fullmatch(path):
        raise ValidationError(
            "The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward "
            'slash "/". It can\'t be prefixed with "aws" or "ssm" (case-insensitive). It must use only letters, '
            "numbers, or the following symbols: . (period), - (hyphen), _ (underscore). Special characters are not "
            'allowed. All sub-paths, if specified, must use the forward slash symbol "/". Valid example: '
            "/get/parameters2-/by1./path0_."
        )


def below(name: str, path: str, *, recursive: bool) -> bool:
    """Whether a parameter lies below a path, at once or anywhere."""
    prefix = path if path.endswith("/") else f"{path}/"
    if not name.startswith(prefix):
        return False
    return recursive or "/" not in name.removeprefix(prefix)
