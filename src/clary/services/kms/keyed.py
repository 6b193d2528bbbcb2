"""Operations on one key: it is found, and the caller's right looked at, before anything else happens."""

from __future__ import annotations

from collections.abc import Callable

from clary.errors import AWSError
from clary.identity.sealing import BadToken
from clary.keys import material
from clary.keys.material import Material
from clary.keys.rows import DISABLED, PENDING_DELETION, PENDING_IMPORT, PENDING_REPLICAS, materials
from clary.keys.specs import SPECS
from clary.names import account_of
from clary.services.context import Context
from clary.services.kms.errors import disabled, dry_run, out_of_reach, unreadable, unsupported, wrong_state, wrong_usage
from clary.services.kms.rights import authorise
from clary.services.kms.rows import find
from clary.services.kms.service import SERVICE
from clary.services.kms.service_keys import keep
from clary.services.registry import Effect, Handler
from clary.services.resources import Output, Params
from clary.store.rows import Row

_ANYONE = frozenset(
    {
        *("Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo", "Sign", "Verify", "GenerateMac", "VerifyMac"),
        *("GenerateDataKey", "GenerateDataKeyWithoutPlaintext"),
        *("GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext", "DeriveSharedSecret"),
        *("DescribeKey", "GetPublicKey", "GetKeyRotationStatus"),
        *("CreateGrant", "ListGrants", "RetireGrant", "RevokeGrant"),
    }
)
"""What other accounts may do with a key whose policy lets them
(https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html)."""

OnKey = Callable[[Context, Params, Row], Output]


def on_key(operation: str, *, aliases: bool = False, effect: Effect = "executes") -> Callable[[OnKey], Handler]:
    """Offer an operation whose KeyId names a key; with `aliases` by alias as well."""

    def offer(handler: OnKey) -> Handler:
        @SERVICE.operation(operation, effect=effect)
        def carry_out(context: Context, params: Params) -> Output:
            return handler(context, params, allowed(context, operation, params["KeyId"], params, aliases=aliases))

        return carry_out

    return offer


def allowed(context: Context, action: str, given: str, params: Params, *, aliases: bool = True) -> Row:
    """The key that is named, for one who may. Raises NotFoundException, AccessDeniedException: what is not there in
    another account is told from what may not be used by nobody."""
    try:
        row = find(context, given, aliases=aliases, anyone=action in _ANYONE)
    except AWSError as error:
        if action in _ANYONE and account_of(given) not in ("", context.account):
            raise out_of_reach(context.call.principal.arn, action, given) from error
        raise
    authorise(context, action, row, params)
    return row if row.version else keep(context, row)


def check_usable(row: Row) -> None:
    """Raises DisabledException, KMSInvalidStateException."""
    if row.status == DISABLED:
        raise disabled(row.arn)
    check_not_going(row)
    if row.status == PENDING_IMPORT:
        raise wrong_state(f"{row.arn} is pending import.")


def check_not_going(row: Row) -> None:
    """Raises KMSInvalidStateException for a key that is about to be deleted."""
    if row.status == PENDING_DELETION:
        raise wrong_state(f"{row.arn} is pending deletion.")
    if row.status == PENDING_REPLICAS:
        raise wrong_state(f"{row.arn} is pending replica deletion.")


def check_use(row: Row, params: Params, usage: str, operation: str, algorithm: str) -> None:
    """Whether the key can do it, with this algorithm, now. Raises DisabledException, KMSInvalidStateException,
    InvalidKeyUsageException, UnsupportedOperationException; DryRunOperationException where no more was wanted."""
    check_usable(row)
    if row.spec["KeyUsage"] != usage:
        raise wrong_usage(f"{row.arn} key usage is {row.spec['KeyUsage']} which is not valid for {operation}.")
    if algorithm not in SPECS[row.spec["KeySpec"]].algorithms[usage]:
        raise wrong_usage(f"Algorithm {algorithm} is incompatible with key spec {row.spec['KeySpec']}.")
    check_asked(params)


def check_asked(params: Params) -> None:
    """Raises UnsupportedOperationException for answers to Nitro enclaves; DryRunOperationException."""
    if params.get("Recipient"):
        raise unsupported("Answers for Nitro enclaves (Recipient) are not offered by Clary.")
    if params.get("DryRun"):
        raise dry_run()


def secret(context: Context, row: Row, which: Material | None = None) -> bytes:
    """A key's material; the newest, unless one is named. Raises KMSInvalidStateException, KMSInternalException."""
    chosen = which or materials(row)[-1]
    if not chosen["sealed"]:
        raise wrong_state(f"{row.arn} is pending import.")
    try:
        return material.opened(material.root(context.settings.data_dir), row.key.name, chosen)
    except BadToken:
        raise unreadable(row.arn) from None
