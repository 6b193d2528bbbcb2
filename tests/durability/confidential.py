"""KMS, Secrets Manager and Systems Manager: keys and what they have encrypted, secrets, parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tests.durability.witness import Doubtful, Hand, Idle, Register, answered
from tests.running import RunningClary

KEYS = 6
CIPHERTEXTS = 8
"""That are kept in mind, the last ones."""


class Keys(Hand):
    """State of the alias: its key. State of a key: its description, and whether it is enabled."""

    def __init__(self, clary: RunningClary, seed: str, number: int) -> None:
        super().__init__(clary, seed)
        self._kms = clary.client("kms")
        self._mark = f"of player {number}"
        self._keys: list[Register] = []
        self._lost_key = False
        self._alias = Register(f"alias/player-{number}")
        self._kept: list[tuple[bytes, bytes, Register]] = []

    def steps(self) -> Sequence[Callable[[], None]]:
        return (self._create, self._describe, self._enable, self._point, self._encrypt, self._encrypt, self._data_key)

    def check(self) -> None:
        known = {each.name for each in self._keys}
        for key in self._own_keys():
            if key["KeyId"] not in known:
                assert self._lost_key, f"a key that nobody has made: {key}"
                self._keys.append(Register(key["KeyId"], (key["Description"], True)))
        self._lost_key = False
        for each in self._keys:
            found = self._kms.describe_key(KeyId=each.name)["KeyMetadata"]
            each.is_((found["Description"], found["Enabled"]))
            self._kms.get_key_policy(KeyId=each.name)
        aliases = {each["AliasName"]: each["TargetKeyId"] for each in self._aliases()}
        self._alias.is_(aliases.get(self._alias.name))
        for blob, plaintext, key in self._kept:
            if key.state[1]:
                assert self._kms.decrypt(CiphertextBlob=blob)["Plaintext"] == plaintext

    def _own_keys(self) -> list[dict[str, Any]]:
        pages = self._kms.get_paginator("list_keys").paginate()
        found = [self._kms.describe_key(KeyId=each["KeyId"]) for page in pages for each in page["Keys"]]
        return [each["KeyMetadata"] for each in found if self._mark in each["KeyMetadata"]["Description"]]

    def _aliases(self) -> list[dict[str, Any]]:
        pages = self._kms.get_paginator("list_aliases").paginate()
        return [each for page in pages for each in page["Aliases"] if "TargetKeyId" in each]

    def _sure(self, *, enabled: bool = True) -> Register:
        return self.any_of([each for each in self._keys if not each.lost and (each.state[1] or not enabled)])

    def _create(self) -> None:
        if len(self._keys) >= KEYS or self._lost_key:
            raise Idle
        said = f"{self.fresh()} {self._mark}"
        try:
            made = answered(self._kms.create_key, Description=said)["KeyMetadata"]
        except Doubtful:
            self._lost_key = True
            raise
        self._keys.append(Register(made["KeyId"], (said, True)))

    def _describe(self) -> None:
        key = self._sure(enabled=False)
        said = f"{self.fresh()} {self._mark}"
        state = (said, key.state[1])
        key.becomes(state, self._kms.update_key_description, KeyId=key.name, Description=said)

    def _enable(self) -> None:
        key = self._sure(enabled=False)
        said, enabled = key.state
        key.becomes((said, not enabled), self._kms.disable_key if enabled else self._kms.enable_key, KeyId=key.name)

    def _point(self) -> None:
        key = self._sure(enabled=False)
        alias = self.one_of([self._alias])
        call = self._kms.update_alias if alias.state else self._kms.create_alias
        alias.becomes(key.name, call, AliasName=alias.name, TargetKeyId=key.name)

    def _encrypt(self) -> None:
        key = self._sure()
        plaintext = self.fresh().encode()
        blob = answered(self._kms.encrypt, KeyId=key.name, Plaintext=plaintext)["CiphertextBlob"]
        self._kept = [*self._kept, (blob, plaintext, key)][-CIPHERTEXTS:]

    def _data_key(self) -> None:
        key = self._sure()
        made = answered(self._kms.generate_data_key, KeyId=key.name, KeySpec="AES_256")
        self._kept = [*self._kept, (made["CiphertextBlob"], made["Plaintext"], key)][-CIPHERTEXTS:]


class Secrets(Hand):
    """State of a secret: None, or its value and its tag."""

    def __init__(self, clary: RunningClary, seed: str, number: int) -> None:
        super().__init__(clary, seed)
        self._client = clary.client("secretsmanager")
        self._secrets = [Register(f"secret-{number}-{each}") for each in range(3)]

    def steps(self) -> Sequence[Callable[[], None]]:
        return (self._create, self._put, self._put, self._delete)

    def check(self) -> None:
        names = self._client.list_secrets()["SecretList"]
        tags = {each["Name"]: each["Tags"][0]["Value"] for each in names}
        for secret in self._secrets:
            secret.is_(self._seen(secret.name, tags.get(secret.name)))

    def _create(self) -> None:
        secret = self.one_of(self._secrets, there=False)
        value, tag = self.fresh(), self.fresh()
        tags = [{"Key": "t", "Value": tag}]
        secret.becomes((value, tag), self._client.create_secret, Name=secret.name, SecretString=value, Tags=tags)

    def _put(self) -> None:
        secret = self.one_of(self._secrets, there=True)
        value, (_, tag) = self.fresh(), secret.state
        secret.becomes((value, tag), self._client.put_secret_value, SecretId=secret.name, SecretString=value)

    def _delete(self) -> None:
        secret = self.one_of(self._secrets, there=True)
        secret.becomes(None, self._client.delete_secret, SecretId=secret.name, ForceDeleteWithoutRecovery=True)

    def _seen(self, name: str, tag: str | None) -> tuple[str, str] | None:
        if tag is None:
            return None
        found = self._client.get_secret_value(SecretId=name)
        described = self._client.describe_secret(SecretId=name)
        assert "AWSCURRENT" in described["VersionIdsToStages"][found["VersionId"]], described
        return found["SecretString"], tag


class Parameters(Hand):
    """State of a parameter: None, or its value and its version."""

    def __init__(self, clary: RunningClary, seed: str, number: int) -> None:
        super().__init__(clary, seed)
        self._ssm = clary.client("ssm")
        self._path = f"/players/{number}"
        self._parameters = [Register(f"{self._path}/{each}") for each in range(4)]

    def steps(self) -> Sequence[Callable[[], None]]:
        return (self._put, self._put, self._put, self._delete)

    def check(self) -> None:
        listed = self._ssm.get_parameters_by_path(Path=self._path, WithDecryption=True)["Parameters"]
        found = {each["Name"]: (each["Value"], each["Version"]) for each in listed}
        for parameter in self._parameters:
            parameter.is_(found.get(parameter.name))

    def _put(self) -> None:
        parameter = self.one_of(self._parameters)
        value, version = self.fresh(), 1 + (parameter.state[1] if parameter.state else 0)
        kind = "SecureString" if parameter.name.endswith(("0", "1")) else "String"
        put = self._ssm.put_parameter
        parameter.becomes((value, version), put, Name=parameter.name, Value=value, Type=kind, Overwrite=True)

    def _delete(self) -> None:
        parameter = self.one_of(self._parameters, there=True)
        parameter.becomes(None, self._ssm.delete_parameter, Name=parameter.name)


class Grants(Hand):
    """State of a grant: None, or whom it names. State of the key that comes and goes: what KMS says of it."""

    def __init__(self, clary: RunningClary, seed: str, number: int) -> None:
        super().__init__(clary, seed)
        self._kms = clary.client("kms")
        self._key, going = (self._kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(2))
        self._going = Register(going, "Enabled")
        self._grants = [Register(f"grant-{number}-{each}") for each in range(4)]
        self._ids: dict[str, str] = {}

    def steps(self) -> Sequence[Callable[[], None]]:
        return (self._give, self._give, self._retire, self._revoke, self._go_on)

    def check(self) -> None:
        listed = self._kms.list_grants(KeyId=self._key, Limit=100)["Grants"]
        assert len(listed) == len({each["Name"] for each in listed}), f"given twice: {listed}"
        found = {each["Name"]: each for each in listed}
        self._ids = {name: each["GrantId"] for name, each in found.items()}
        for grant in self._grants:
            there = found.get(grant.name)
            grant.is_(there["GranteePrincipal"] if there else None)
        described = self._kms.describe_key(KeyId=self._going.name)["KeyMetadata"]
        assert ("DeletionDate" in described) == (described["KeyState"] == "PendingDeletion")
        self._going.is_(described["KeyState"])

    def _give(self) -> None:
        grant = self.one_of(self._grants, there=False)
        who = f"arn:aws:iam::000000000000:user/{self.fresh()}"
        made = grant.becomes(
            who, self._kms.create_grant, KeyId=self._key, Name=grant.name, GranteePrincipal=who, Operations=["Decrypt"]
        )
        self._ids[grant.name] = made["GrantId"]

    def _retire(self) -> None:
        self._take_back(self._kms.retire_grant)

    def _revoke(self) -> None:
        self._take_back(self._kms.revoke_grant)

    def _take_back(self, call: Callable[..., Any]) -> None:
        grant = self.one_of(self._grants, there=True)
        arn = f"arn:aws:kms:us-east-1:000000000000:key/{self._key}"
        grant.becomes(None, call, KeyId=arn, GrantId=self._ids[grant.name])

    def _go_on(self) -> None:
        """To be deleted, kept after all, used again."""
        key = self.one_of([self._going])
        following: dict[str, tuple[str, Callable[..., Any]]] = {
            "Enabled": ("PendingDeletion", self._kms.schedule_key_deletion),
            "PendingDeletion": ("Disabled", self._kms.cancel_key_deletion),
            "Disabled": ("Enabled", self._kms.enable_key),
        }
        state, call = following[key.state]
        key.becomes(state, call, KeyId=key.name)
