"""S3: objects of any size, sealed ones, copies, tags, rules of buckets."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

from tests.durability.witness import Hand, Idle, Register, answered, digest
from tests.running import RunningClary

SIZES = (0, 10, 3000, 100_000, 1_500_000)
CUSTOMERS = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}
SOURCE = {f"Copy{('Source' + name)}": value for name, value in CUSTOMERS.items()}


class Objects(Hand):
    """State of a key: None, or the content's digest, its tags, and whether it is sealed."""

    def __init__(self, clary: RunningClary, seed: str, number: int) -> None:
        super().__init__(clary, seed)
        self._s3 = clary.client("s3")
        self._bucket = f"objects-{number}"
        self._s3.create_bucket(Bucket=self._bucket)
        self._keys = [Register(f"{self._bucket}/k/{each}") for each in range(6)]
        self._rules = Register("rules of the life cycle")

    def steps(self) -> Sequence[Callable[[], None]]:
        return (self._put, self._put, self._put, self._copy, self._tag, self._delete, self._delete_two, self._set_rules)

    def check(self) -> None:
        found = {each["Key"]: each for each in self._listed()}
        for register in self._keys:
            register.is_(self._seen(self._key(register), found.pop(self._key(register), None)))
        assert not found, f"nobody has put {list(found)}"
        self._rules.is_(self._seen_rules())

    def _key(self, register: Register) -> str:
        return register.name.partition("/")[2]

    def _of(self, register: Register) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": self._key(register)}

    def _put(self) -> None:
        register = self.one_of(self._keys)
        body = self.chance.randbytes(self.chance.choice(SIZES))
        tags, sealed = self._tags(), self.chance.random() < 0.3
        more: dict[str, Any] = dict(CUSTOMERS) if sealed else {}
        if register.state is None:
            more["IfNoneMatch"] = "*"
        tagging = urlencode(dict(tags))
        register.becomes(
            (digest(body), tags, sealed), self._s3.put_object, **self._of(register), Body=body, Tagging=tagging, **more
        )

    def _tags(self) -> tuple[tuple[str, str], ...]:
        return (("t", self.fresh()),) if self.chance.random() < 0.5 else ()

    def _copy(self) -> None:
        source, register = self.one_of(self._keys, there=True), self.one_of(self._keys)
        if source is register:
            raise Idle
        content, tags, sealed = source.state
        more = {**CUSTOMERS, **SOURCE} if sealed else {}
        state = (content, tags, sealed)
        register.becomes(state, self._s3.copy_object, **self._of(register), CopySource=self._of(source), **more)

    def _tag(self) -> None:
        register = self.one_of(self._keys, there=True)
        content, _, sealed = register.state
        tags = self._tags()
        tagging = {"TagSet": [{"Key": key, "Value": value} for key, value in tags]}
        register.becomes((content, tags, sealed), self._s3.put_object_tagging, **self._of(register), Tagging=tagging)

    def _delete(self) -> None:
        register = self.one_of(self._keys)
        register.becomes(None, self._s3.delete_object, **self._of(register))

    def _delete_two(self) -> None:
        two = {self.one_of(self._keys), self.one_of(self._keys)}
        named = [{"Key": self._key(each)} for each in two]
        for each in two:
            each.allowed.append(None)
            each.lost = True
        answered(self._s3.delete_objects, Bucket=self._bucket, Delete={"Objects": named})
        for each in two:
            each.allowed, each.lost = [None], False

    def _set_rules(self) -> None:
        rules, name = self.one_of([self._rules]), self.fresh()
        rule = {"ID": name, "Status": "Enabled", "Filter": {"Prefix": "old/"}, "Expiration": {"Days": 3}}
        put = self._s3.put_bucket_lifecycle_configuration
        rules.becomes(name, put, Bucket=self._bucket, LifecycleConfiguration={"Rules": [rule]})

    def _listed(self) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = self._s3.list_objects_v2(Bucket=self._bucket).get("Contents", [])
        return listed

    def _seen(self, key: str, listed: dict[str, Any] | None) -> Any:
        where = {"Bucket": self._bucket, "Key": key}
        if listed is None:
            return None
        tags = tuple((tag["Key"], tag["Value"]) for tag in self._s3.get_object_tagging(**where)["TagSet"])
        sealed = self._is_sealed(where)
        answer = self._s3.get_object(**where, **(CUSTOMERS if sealed else {}))
        body = answer["Body"].read()
        assert len(body) == listed["Size"] == answer["ContentLength"], key
        assert answer["ETag"] == listed["ETag"], key
        assert sealed or answer["ETag"] == f'"{hashlib.md5(body).hexdigest()}"', key
        return digest(body), tags, sealed

    def _is_sealed(self, where: dict[str, str]) -> bool:
        """A HEAD without the key is refused then, without a word."""
        try:
            self._s3.head_object(**where)
        except self._s3.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] == "400", error
            return True
        return False

    def _seen_rules(self) -> Any:
        try:
            [rule] = self._s3.get_bucket_lifecycle_configuration(Bucket=self._bucket)["Rules"]
        except self._s3.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] == "NoSuchLifecycleConfiguration", error
            return None
        return rule["ID"]
