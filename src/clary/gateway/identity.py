"""Who calls and whether they may, from what control published: no database, no waiting."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import NamedTuple, cast

from clary.calls import Access, Call, Principal
from clary.errors import AWSError
from clary.gateway.keyring import Credential
from clary.identity.context import Facts
from clary.identity.denial import denied
from clary.identity.directory import EMPTY, Directory
from clary.identity.encoded_denial import SERVICES as ENCODED
from clary.identity.encoded_denial import EncodedDenials
from clary.identity.policy import Decision
from clary.identity.published import Identities, identities_path
from clary.identity.resource_policy import ResourcePolicy
from clary.identity.resources import SERVICES, Grants, Published, Resources, resources_path
from clary.identity.sealing import BadToken, Sealer, Session
from clary.identity.uses import Uses
from clary.names import account_of
from clary.publish import Subscriber
from clary.settings import Settings

_TOKENS_KEPT = 4096
"""Opened tokens that are remembered; opening one takes about 20 µs."""


def _unknown() -> AWSError:
    return AWSError("InvalidClientTokenId", "The security token included in the request is invalid.", status=403)


def _expired() -> AWSError:
    return AWSError("ExpiredToken", "The security token included in the request is expired", status=403)


class _Published(NamedTuple):
    """One publication, and the credentials of it that were asked for: they end with it."""

    directory: Directory
    credentials: dict[str, Credential]


class Identity:
    """Keyring and Authorizer of one process; follows every publication at once."""

    def __init__(self, settings: Settings, grants: Grants | None = None, facts: Facts | None = None) -> None:
        """`grants` reads ACLs, where they count; without it nobody is granted anything. `facts` looks up what policies
        ask of resources."""
        settings.run_dir.mkdir(parents=True, exist_ok=True)
        self._open = settings.auth == "off"
        self._sealer = Sealer.of(settings.data_dir)
        self._encoded = EncodedDenials.of(settings.data_dir)
        self.uses = Uses()
        self._grants = grants
        self._facts = facts
        self._subscriber = Subscriber(identities_path(settings.run_dir))
        self._resources = [Subscriber(resources_path(settings.run_dir, service)) for service in SERVICES]
        self._loading = threading.Lock()
        self._newest = _Published(Directory(EMPTY), {})
        self._sessions: dict[str, tuple[Session, Credential]] = {}

    def find(self, access_key_id: str, session_token: str | None) -> Credential:
        """The secret and the principal of a key. Raises AWSError: InvalidClientTokenId, ExpiredToken."""
        if session_token:
            return self._of_session(access_key_id, session_token)
        published = self._published()
        credential = published.credentials.get(access_key_id)
        if credential is None:
            credential = published.credentials[access_key_id] = _of_key(published.directory, access_key_id)
        return credential

    def authorise(self, call: Call, needed: Sequence[Access]) -> None:
        """Raises AccessDenied in AWS's words. With `--auth off` everyone may do everything."""
        if self._open:
            return
        self.uses.note(call)
        directory = self.directory()
        for access in map(directory.places.located, needed):
            decision = directory.decide(call, access)
            if decision.allowed and directory.is_closed(call.principal, access):
                decision = Decision("implicitDeny", "resource")
            if not decision.allowed and not self._granted(directory, call, access, decision):
                raise self._refusal(call, access, decision)

    def _refusal(self, call: Call, access: Access, decision: Decision) -> AWSError:
        refusal = denied(call.service, call.principal, access.action, access.resource, decision)
        if call.service not in ENCODED:
            return refusal
        return self._encoded.refusal(call, access, decision, f"{refusal.message}.")

    def _granted(self, directory: Directory, call: Call, access: Access, decision: Decision) -> bool:
        """Whether an ACL lets the caller in: everyone is one of its groups; an account's own policies must allow it
        as well, and within the account that owns the bucket they alone decide. Raises NoSuchBucket where
        only a bucket's policy could have let the caller in, and there is no bucket."""
        guarded = directory.resources.find(access.resource)
        if self._grants is None or guarded is None or decision.effect != "implicitDeny":
            return False
        if not guarded.grants and decision.layer != "resource":
            return False
        grantee = self._grants(call, access)
        if grantee == "everyone":
            return decision.layer in ("identity", "resource")
        return grantee == "account" and decision.layer == "resource"

    def decide(self, call: Call, access: Access, policy: ResourcePolicy) -> Decision:
        """Whether the caller has a right on a resource that has a policy. With `--auth off` everyone has."""
        if self._open:
            return Decision("allowed", "resource")
        return self.directory().decide_on(call, access, policy)

    def directory(self) -> Directory:
        """The newest publication, compiled."""
        return self._published().directory

    def _published(self) -> _Published:
        if self._changed() or self._loading.locked():
            with self._loading:
                if self._changed():
                    self._newest = self._read()
        return self._newest

    def _changed(self) -> bool:
        return self._subscriber.changed() or any(each.changed() for each in self._resources)

    def _read(self) -> _Published:
        published = cast("Identities", self._subscriber.current() or EMPTY)
        resources: dict[str, Published] = {}
        for each in self._resources:
            resources |= each.current().get("resources", {})
        return _Published(Directory(published, Resources(resources, published["account"]), self._facts), {})

    def _of_session(self, access_key_id: str, token: str) -> Credential:
        session, credential = self._sessions.get(token) or self._opened(access_key_id, token)
        if session.access_key_id != access_key_id:
            raise _unknown()
        if session.expires <= time.time():
            raise _expired()
        return credential

    def _opened(self, access_key_id: str, token: str) -> tuple[Session, Credential]:
        try:
            session = self._sealer.open_session(token, access_key_id)
        except BadToken as error:
            raise _unknown() from error
        if len(self._sessions) >= _TOKENS_KEPT:
            self._sessions.clear()
        found = session, Credential(self._sealer.secret(access_key_id), session.principal())
        self._sessions[token] = found
        return found


def _of_key(directory: Directory, access_key_id: str) -> Credential:
    key = directory.identities["keys"].get(access_key_id)
    if key is None:
        raise _unknown()
    principal = Principal(
        kind=key["kind"],
        account=account_of(key["arn"]),
        arn=key["arn"],
        identity=key["identity"],
        user_id=key["user_id"],
        access_key_id=access_key_id,
    )
    return Credential(key["secret"], principal)
