"""Passwords of users, and the account's policy on them. There is no console to sign in to: they are kept, as scrypt's
hashes, checked against the policy, and asked for where a user changes them
(https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords.html)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from clary.calls import Access
from clary.errors import AWSError
from clary.services.context import Context
from clary.services.iam.account import password_policy
from clary.services.iam.entities import USER, Rows, require, save
from clary.services.iam.errors import entity_exists, no_such_entity, validation
from clary.services.iam.service import SERVICE
from clary.services.iam.users import user_name
from clary.store.rows import Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_SALT_BYTES = 16
_COST = {"n": 2**14, "r": 8, "p": 1}
"""Of scrypt: 16 MiB and about 50 ms (RFC 7914, section 2)."""

_SYMBOLS = frozenset("!@#$%^&*()_+-=[]{}|'")
_RULES = (
    ("RequireSymbols", lambda letter: letter in _SYMBOLS, "symbol"),
    ("RequireNumbers", str.isdigit, "number"),
    ("RequireUppercaseCharacters", str.isupper, "uppercase letter"),
    ("RequireLowercaseCharacters", str.islower, "lowercase letter"),
)


def _hashed(password: str) -> str:
    salt = secrets.token_bytes(_SALT_BYTES)
    return base64.b64encode(salt + _digest(password, salt)).decode()


def _digest(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, **_COST)


def _is(password: str, hashed: str) -> bool:
    raw = base64.b64decode(hashed)
    return hmac.compare_digest(_digest(password, raw[:_SALT_BYTES]), raw[_SALT_BYTES:])


def _violation(text: str) -> AWSError:
    return AWSError("PasswordPolicyViolation", text)


def _check(password: str, policy: Mapping[str, Any], former: list[str]) -> None:
    """Raises PasswordPolicyViolation."""
    if len(password) < policy["MinimumPasswordLength"]:
        raise _violation(f"Password should have a minimum length of {policy['MinimumPasswordLength']}")
    for member, fits, what in _RULES:
        if policy[member] and not any(fits(letter) for letter in password):
            raise _violation(f"Password should have at least one {what}")
    reused = policy.get("PasswordReusePrevention") or 0
    if reused and any(_is(password, each) for each in former[-reused:]):
        raise _violation("Password has been used before")


def _with_password(rows: Rows, user: Row, password: str, login: Mapping[str, Any]) -> dict[str, Any]:
    """The login with a new password, which the account's policy takes."""
    former = list(login.get("former", ()))
    _check(password, password_policy(rows, user.key.account), former)
    hashed = _hashed(password)
    now = datetime.now(UTC).timestamp()
    return {**login, "password": hashed, "former": [*former, hashed][-24:], "changed": now}


def _login(user: Row) -> dict[str, Any]:
    login = user.state.get("login")
    if not login:
        raise no_such_entity(f"Login Profile for User {user.spec['UserName']} cannot be found.")
    return dict(login)


def _shown(user: Row) -> dict[str, Any]:
    login = _login(user)
    return {
        "UserName": user.spec["UserName"],
        "CreateDate": datetime.fromtimestamp(int(login["created"]), UTC),
        "PasswordResetRequired": login["reset"],
    }


def _save(context: Context, name: str, was: object, login: Mapping[str, Any]) -> Row:
    """Hashes take long and are made before; raises ConcurrentModification where somebody else was faster."""

    def change(transaction: Transaction) -> Row:
        user = require(transaction, USER, context.account, name)
        if user.state.get("login") != was:
            raise AWSError("ConcurrentModification", f"The Login Profile of User {name} is being changed.", status=409)
        return save(transaction, user, login=dict(login))

    return context.store.write(change)


@SERVICE.operation("CreateLoginProfile", effect="keeps state")
def create_login_profile(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    reader, name = context.store.read, user_name(context, params)
    if "Password" not in params:
        raise validation("Must specify a password.")
    user = require(reader, USER, context.account, name)
    was = user.state.get("login")
    if was:
        raise entity_exists(f"Login Profile for User {name} already exists.")
    fresh = {"created": datetime.now(UTC).timestamp(), "reset": params.get("PasswordResetRequired", False)}
    return {"LoginProfile": _shown(_save(context, name, was, _with_password(reader, user, params["Password"], fresh)))}


@SERVICE.operation("GetLoginProfile", effect="keeps state")
def get_login_profile(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    return {"LoginProfile": _shown(require(context.store.read, USER, context.account, user_name(context, params)))}


@SERVICE.operation("UpdateLoginProfile", effect="keeps state")
def update_login_profile(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    user = require(context.store.read, USER, context.account, params["UserName"])
    was = _login(user)
    login = {**was, "reset": params.get("PasswordResetRequired", was["reset"])}
    if "Password" in params:
        login = _with_password(context.store.read, user, params["Password"], login)
    _save(context, params["UserName"], was, login)
    return {}


@SERVICE.operation("DeleteLoginProfile", effect="keeps state")
def delete_login_profile(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    def change(transaction: Transaction) -> None:
        user = require(transaction, USER, context.account, user_name(context, params))
        _login(user)
        save(transaction, user, login=None)

    context.store.write(change)
    return {}


@SERVICE.operation("ChangePassword", effect="keeps state")
def change_password(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """A user's own: the account's policy may let every user do so, else the user's own policies decide."""
    if context.call.principal.kind != "user":
        raise AWSError("InvalidUserType", "Only IAM Users can change their own password")
    reader, name = context.store.read, user_name(context, {})
    if not password_policy(reader, context.account)["AllowUsersToChangePassword"]:
        context.authorise(Access("iam:ChangePassword", context.call.principal.identity))
    user = require(reader, USER, context.account, name)
    was = _login(user)
    if not _is(params["OldPassword"], was["password"]):
        raise AWSError("AccessDenied", "The old password was incorrect.", status=403)
    _save(context, name, was, _with_password(reader, user, params["NewPassword"], was) | {"reset": False})
    return {}
