"""AWS managed keys: one for each service that encrypts, made when it is first used
(https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-key)."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from clary.keys.material import generated, kept, root
from clary.keys.rows import ALIAS, DAY, ENABLED, KIND
from clary.keys.specs import ENCRYPT, SYMMETRIC
from clary.services.context import Context
from clary.services.kms.names import AWS_PREFIX, alias_arn, key_arn
from clary.services.kms.policy_documents import of_service
from clary.services.resources import now
from clary.store.rows import Key, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

SERVICES = {
    "secretsmanager": "Default key that protects my Secrets Manager data when no other key is defined",
    "ssm": "Default key that protects my SSM data when no other key is defined",
    "s3": "Default key that protects my S3 objects when no other key is defined",
    "lambda": "Default key that protects my Lambda functions when no other key is defined",
    "sns": "Default key that protects my SNS data when no other key is defined",
    "sqs": "Default key that protects my SQS messages when no other key is defined",
}
"""By name, with the keys' descriptions."""

_YEAR = 365


def prospective(context: Context, service: str) -> Row:
    """The key as it will be; nothing is kept yet."""
    name, made = str(uuid.uuid4()), now()
    material = kept(root(context.settings.data_dir), name, generated(SYMMETRIC), made.timestamp())
    spec = {
        "KeySpec": SYMMETRIC,
        "KeyUsage": ENCRYPT,
        "Origin": "AWS_KMS",
        "Description": SERVICES[service],
        "Policy": of_service(service, context.region, context.account),
        "KeyManager": "AWS",
        "Service": service,
    }
    state = {"materials": [material], "rotation_days": _YEAR, "rotates": made.timestamp() + _YEAR * DAY}
    key = Key(KIND, context.account, context.region, name)
    return Row(key, key_arn(key.region, key.account, name), ENABLED, made, made, spec, state)


def keep(context: Context, row: Row) -> Row:
    """Keep it with its alias, or take the one that was kept meanwhile."""
    made = now()
    name = AWS_PREFIX + row.spec["Service"]
    key = Key(ALIAS, row.key.account, row.key.region, name)
    spec = {"TargetKeyId": row.key.name}
    alias = Row(key, alias_arn(key.region, key.account, name), "", made, made, spec, parent=row.key.name)

    def write(transaction: Transaction) -> Row:
        there = transaction.get(key)
        if there is not None:
            first = transaction.get(Key(KIND, key.account, key.region, there.spec["TargetKeyId"]))
            if first is not None:
                return first
            transaction.delete(key)
        transaction.insert(alias)
        return transaction.insert(row)

    stored = context.store.write(write)
    context.wake(stored.key)
    return stored
