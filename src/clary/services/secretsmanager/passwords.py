"""GetRandomPassword
(https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetRandomPassword.html)."""

from __future__ import annotations

import secrets
import string

from clary.services.context import Context
from clary.services.resources import Output, Params
from clary.services.secretsmanager.errors import invalid
from clary.services.secretsmanager.service import SERVICE

_LENGTH = 32
_SPACE = " "
_KINDS = {
    "ExcludeLowercase": string.ascii_lowercase,
    "ExcludeUppercase": string.ascii_uppercase,
    "ExcludeNumbers": string.digits,
    "ExcludePunctuation": string.punctuation,
}


@SERVICE.operation("GetRandomPassword")
def get(_context: Context, params: Params) -> Output:
    """Raises InvalidParameterException where no letters are left, or too few for one of each kind that AWS requires."""
    kinds = _kinds(params)
    length = params.get("PasswordLength") or _LENGTH
    required = [kind for kind in kinds if kind != _SPACE] if params.get("RequireEachIncludedType", True) else []
    everything = "".join(kinds)
    if not everything:
        raise invalid("The password cannot be generated: all characters are excluded.")
    if length < len(required):
        raise invalid("The password length is too short for the required character types.")
    letters = [secrets.choice(kind) for kind in required]
    letters += [secrets.choice(everything) for _ in range(length - len(letters))]
    secrets.SystemRandom().shuffle(letters)
    return {"RandomPassword": "".join(letters)}


def _kinds(params: Params) -> list[str]:
    excluded = set(params.get("ExcludeCharacters") or "")
    kinds = [letters for flag, letters in _KINDS.items() if not params.get(flag)]
    if params.get("IncludeSpace"):
        kinds.append(_SPACE)
    left = ("".join(letter for letter in kind if letter not in excluded) for kind in kinds)
    return [kind for kind in left if kind]
