"""Tags of everything that has an ARN here (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from clary.services.context import Context
from clary.services.iam.account import OIDC_PROVIDER, SAML_PROVIDER
from clary.services.iam.certificates import require_server_certificate
from clary.services.iam.entities import ROLE, USER, Entity, Rows, asked_tags, require, shown_tags
from clary.services.iam.errors import limit_exceeded
from clary.services.iam.instance_profiles import require_profile
from clary.services.iam.listing import page
from clary.services.iam.mfa import require_device
from clary.services.iam.policies import require_policy
from clary.services.iam.providers import require_provider
from clary.services.iam.publication import write
from clary.services.iam.service import SERVICE
from clary.store.rows import Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_TAGS_AT_MOST = 50

_Find = Callable[[Rows, str, dict[str, Any]], Row]


def _entity(entity: Entity) -> _Find:
    return lambda rows, account, params: require(rows, entity, account, params[entity.name_member])


def _policy(rows: Rows, account: str, params: dict[str, Any]) -> Row:
    return require_policy(rows, account, params["PolicyArn"])


def _offer(noun: str, find: _Find) -> None:
    def tag(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        def change(transaction: Transaction) -> None:
            row = find(transaction, context.call.principal.account, params)
            asked = asked_tags(params)
            if len(transaction.tags(row.arn) | asked) > _TAGS_AT_MOST:
                raise limit_exceeded("The number of tags has reached the maximum limit.")
            transaction.set_tags(row.arn, asked)

        write(context, change)
        return {}

    def untag(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        def change(transaction: Transaction) -> None:
            row = find(transaction, context.call.principal.account, params)
            transaction.remove_tags(row.arn, params["TagKeys"])

        write(context, change)
        return {}

    def list_tags(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        row = find(context.store.read, context.call.principal.account, params)
        tags = shown_tags(context.store.read.tags(row.arn))
        return page("Tags", tags, params, lambda each: each["Key"], lambda each: each)

    SERVICE.operation(f"Tag{noun}")(tag)
    SERVICE.operation(f"Untag{noun}")(untag)
    SERVICE.operation(f"List{noun}Tags")(list_tags)


def _provider(kind: str, member: str) -> _Find:
    return lambda rows, account, params: require_provider(rows, kind, account, params[member])


_offer("Role", _entity(ROLE))
_offer("User", _entity(USER))
_offer("Policy", _policy)
_offer("InstanceProfile", lambda rows, account, params: require_profile(rows, account, params["InstanceProfileName"]))
_offer(
    "ServerCertificate",
    lambda rows, account, params: require_server_certificate(rows, account, params["ServerCertificateName"]),
)
_offer("MFADevice", lambda rows, account, params: require_device(rows, account, params["SerialNumber"]))
_offer("OpenIDConnectProvider", _provider(OIDC_PROVIDER, "OpenIDConnectProviderArn"))
_offer("SAMLProvider", _provider(SAML_PROVIDER, "SAMLProviderArn"))
