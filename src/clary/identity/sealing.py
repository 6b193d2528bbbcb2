"""Session tokens that verify without a look-up.

A token is AES-256-GCM over who the session is and when it ends, under a key that only this Clary has; the session's
secret key is derived from its access key id under the same key, and so is stored nowhere. (AWS calls the parts alike:
https://docs.aws.amazon.com/STS/latest/APIReference/API_Credentials.html.)

There are two kinds, and neither passes for the other. A *session token* goes with the requests that it signs, and so
stands in presigned URLs that are handed on. A *grant* is kept by a shell or a container and only fetches sessions: were
a session token enough for that, whoever is given a URL could become who signed it, for ever.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from clary import durable
from clary.calls import Principal, PrincipalKind
from clary.errors import ClaryError

_KEY_BYTES = 32
_NONCE_BYTES = 12
_SESSION = b"\x01"
_GRANT = b"\x02"
"""The first byte of a token tells its kind, and is authenticated with it."""

LONGEST_SESSION = 43_200.0
"""Seconds that credentials may sign requests: twelve hours, as on AWS. What is issued for longer is a grant."""

_SECRET_LETTERS = 40
_ID_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


class BadToken(Exception):
    """Not a token of this Clary, not of the kind that is asked for, or one that belongs to another access key."""


def key_path(data_dir: Path) -> Path:
    """Where the sealing key lies: read by control and by every edge, by nobody else."""
    return data_dir / "secret.key"


def load_key(path: Path, remedy: str = "Remove it: running sessions end, nothing else is lost.") -> bytes:
    """The key in a file, made at first use, durably; safe where several processes start at once. Raises ClaryError with
    the remedy for a file that holds none."""
    with suppress(FileExistsError):
        if not path.exists():
            _make_key(path)
    key = path.read_bytes()
    if len(key) != _KEY_BYTES:
        raise ClaryError(f"{path} is damaged.", remedy)
    return key


def _make_key(path: Path) -> None:
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        os.link(fresh, path)  # fails where another process was first: a key is never replaced
        durable.sync_folder(path.parent)
    finally:
        fresh.unlink()


@dataclass(frozen=True)
class Session:
    """What a token says. Times in epoch seconds."""

    access_key_id: str
    kind: PrincipalKind
    account: str
    arn: str
    identity: str
    user_id: str
    issued: float
    expires: float
    policies: tuple[str, ...] = ()
    """Session policies: documents as JSON, or ARNs."""
    tags: Mapping[str, str] = field(default_factory=dict)
    source_identity: str = ""
    transitive: tuple[str, ...] = ()
    """Names of the tags that a role assumed with this session inherits."""
    context: Mapping[str, str] = field(default_factory=dict)
    """Other condition keys: `aws:MultiFactorAuthPresent`, what an identity provider says."""
    subject_id: str = ""

    def principal(self) -> Principal:
        """Who calls with this session."""
        context = {"aws:MultiFactorAuthPresent": "false", **self.context}
        context |= {f"aws:PrincipalTag/{key}": value for key, value in self.tags.items()}
        context["aws:TokenIssueTime"] = datetime.fromtimestamp(self.issued, UTC).isoformat()
        if self.source_identity:
            context["aws:SourceIdentity"] = self.source_identity
        return Principal(
            kind=self.kind,
            account=self.account,
            arn=self.arn,
            identity=self.identity,
            user_id=self.user_id,
            access_key_id=self.access_key_id,
            session_policies=self.policies,
            session_context=context,
            transitive_tags={key: self.tags[key] for key in self.transitive},
            subject_id=self.subject_id,
        )


@dataclass(frozen=True)
class Credentials:
    """Temporary credentials, as STS hands them out."""

    access_key_id: str
    secret_access_key: str
    session_token: str
    expiration: datetime

    def sts(self) -> dict[str, Any]:
        """The shape `Credentials` of STS."""
        return {
            "AccessKeyId": self.access_key_id,
            "SecretAccessKey": self.secret_access_key,
            "SessionToken": self.session_token,
            "Expiration": self.expiration,
        }

    def container(self) -> dict[str, str]:
        """The document that AWS_CONTAINER_CREDENTIALS_FULL_URI answers
        (https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html)."""
        return {
            "AccessKeyId": self.access_key_id,
            "SecretAccessKey": self.secret_access_key,
            "Token": self.session_token,
            "Expiration": self.expiration.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }


class Sealer:
    """Makes sessions and reads them back."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(hmac.digest(key, b"clary session token", hashlib.sha256))
        self._secrets = hmac.digest(key, b"clary session secret", hashlib.sha256)

    @classmethod
    def of(cls, data_dir: Path) -> Sealer:
        """The sealer of a data folder. Raises ClaryError."""
        return cls(load_key(key_path(data_dir)))

    def issue(
        self,
        principal: Principal,
        seconds: float,
        *,
        policies: tuple[str, ...] = (),
        tags: Mapping[str, str] | None = None,
        source_identity: str = "",
        transitive: Iterable[str] = (),
        context: Mapping[str, str] | None = None,
    ) -> Credentials:
        """New credentials for `principal`, narrowed by session policies (JSON or ARNs); `tags` are the session's, of
        which those that are `transitive` go on to roles that it assumes. `context` are further condition keys.

        For more than LONGEST_SESSION they sign nothing: their token is a grant.
        """
        issued = time.time()
        session = Session(
            access_key_id=temporary_key_id(),
            kind=principal.kind,
            account=principal.account,
            arn=principal.arn,
            identity=principal.identity,
            user_id=principal.user_id,
            issued=issued,
            expires=float(int(issued + seconds)),
            policies=policies,
            tags=dict(tags or {}),
            source_identity=source_identity,
            transitive=tuple(transitive),
            context=dict(context or {}),
            subject_id=principal.subject_id,
        )
        return Credentials(
            access_key_id=session.access_key_id,
            secret_access_key=self.secret(session.access_key_id),
            session_token=self._seal(session, _GRANT if seconds > LONGEST_SESSION else _SESSION),
            expiration=datetime.fromtimestamp(session.expires, UTC),
        )

    def secret(self, access_key_id: str) -> str:
        """The secret access key that goes with a temporary access key id."""
        derived = hmac.digest(self._secrets, access_key_id.encode(), hashlib.sha256)
        return base64.b64encode(derived).decode()[:_SECRET_LETTERS]

    def open(self, token: str, access_key_id: str) -> Session:
        """What a grant says: for whom sessions may be fetched. Whether it has expired is the caller's to see.

        Raises BadToken, for a session token too.
        """
        return self._opened(token, access_key_id, _GRANT)

    def open_session(self, token: str, access_key_id: str) -> Session:
        """What a session token says: who signs. Whether it has expired is the caller's to see.

        Raises BadToken, for a grant too.
        """
        return self._opened(token, access_key_id, _SESSION)

    def _seal(self, session: Session, kind: bytes) -> str:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, json.dumps(asdict(session)).encode(), kind)
        return base64.b64encode(kind + nonce + sealed).decode()

    def _opened(self, token: str, access_key_id: str, kind: bytes) -> Session:
        try:
            raw = base64.b64decode(token, validate=True)
            if raw[:1] != kind:
                raise BadToken("of another kind")
            text = self._cipher.decrypt(raw[1 : 1 + _NONCE_BYTES], raw[1 + _NONCE_BYTES :], kind)
        except (ValueError, InvalidTag) as error:
            raise BadToken("not sealed here") from error
        values = json.loads(text)
        session = Session(**(values | {name: tuple(values.get(name, ())) for name in ("policies", "transitive")}))
        if session.access_key_id != access_key_id:
            raise BadToken("sealed for another access key")
        return session


def temporary_key_id() -> str:
    """An access key id as STS makes them: `ASIA` and 16 of RFC 4648's base-32 letters."""
    return "ASIA" + "".join(secrets.choice(_ID_LETTERS) for _ in range(16))
